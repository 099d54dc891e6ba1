import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { layoutOf, ROOT_DIR } from '../../deploy/local/stack/index.js';
import { Supervisor } from '../../deploy/local/stack/supervisor.js';
import setUpStack from '../stack/support/global-setup.js';
import { type Broker, prepareBroker } from './broker.js';
import { BROKER_DIR, BROKER_FILE, BROKER_PORT, CONTROLLER_PORT } from './support.js';

declare global {
  var playbillBroker: Supervisor | undefined;
}

/**
 * Starts a broker of Kafka and the tests' stack with it: nothing differs from the usual stack but one component file,
 * and that file is the one of Kubernetes.
 */
export default async function setUp(): Promise<void> {
  const broker = await prepareBroker({ dir: BROKER_DIR, port: BROKER_PORT, controllerPort: CONTROLLER_PORT });
  const layout = layoutOf(BROKER_DIR);
  await mkdir(layout.runDir, { recursive: true });
  const supervisor = new Supervisor(layout, console.log);
  globalThis.playbillBroker = supervisor;
  await supervisor.launch(broker.process);
  const { address, classPath, clientSettingsFile } = broker;
  await writeFile(BROKER_FILE, JSON.stringify({ address, classPath, clientSettingsFile, runDir: layout.runDir }));
  process.env.PLAYBILL_COMPONENTS = await writeComponent(broker);
  await setUpStack();
}

/** Kubernetes' component with this broker's address and account; it has no certificate. @returns its folder */
async function writeComponent({ address, username, password }: Broker): Promise<string> {
  const text = await readFile(join(ROOT_DIR, 'components', 'kubernetes', 'pubsub.yaml'), 'utf8');
  const component = parseDocument(text).toJS() as {
    spec: { metadata: { name: string; value?: string; secretKeyRef?: { name: string; key: string } }[] };
    auth?: unknown;
  };
  const secret: Record<string, string> = { brokers: address, username, password };
  component.spec.metadata = component.spec.metadata.map((item) =>
    item.secretKeyRef === undefined ? item : { name: item.name, value: secret[item.secretKeyRef.key] ?? '' },
  );
  component.spec.metadata.push({ name: 'disableTls', value: 'true' });
  delete component.auth;
  const dir = join(BROKER_DIR, 'components');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(join(dir, 'pubsub.yaml'), JSON.stringify(component), { mode: 0o600 });
  return dir;
}
