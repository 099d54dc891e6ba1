import { basename } from 'node:path';
import { parse } from 'yaml';
import { type AppInstance, readRunFile } from '../../../deploy/local/stack/run-file.js';
import { appSpec } from '../../../deploy/local/stack/services.js';
import { composeInstances, flagsOf, readCompose } from './support/compose.js';
import { type KubernetesService, type Overlay, ofKind, renderOverlay, servicesOf } from './support/kubernetes.js';
import { configSchemaOf, entryOf, folderOf, LOCAL_OPTIONS, OF_EVERY_PROCESS, read } from './support/services.js';

const compose = readCompose();
const instances = composeInstances(compose);
const TOKENS = { DAPR_API_TOKEN: 'x'.repeat(32), APP_API_TOKEN: 'x'.repeat(32) };
/** Of a process of the machine, not of a service. */
const OF_THE_MACHINE = ['PATH', 'HOME'];

let local: AppInstance[];
beforeAll(async () => {
  local = await readRunFile({ portOffset: 0, env: {}, services: undefined });
});

/** What the local supervisor gives a service that the service's schema knows. */
async function givenLocally(instance: AppInstance): Promise<string[]> {
  const spec = appSpec(instance, LOCAL_OPTIONS);
  const known = Object.keys((await configSchemaOf(folderOf(instance.command))).shape);
  const names = Object.keys(spec.env).filter((name) => !OF_THE_MACHINE.includes(name));
  return names.filter((name) => known.includes(name) || OF_EVERY_PROCESS.includes(name));
}

describe('docker-compose.yml runs what dapr/dapr.yaml runs', () => {
  test('the same instances, each with its sidecar', () => {
    expect(instances.map(({ name }) => name).sort()).toEqual(local.map(({ name }) => name).sort());
  });

  test('each by the same command, app-id and configuration, with the same flags of the sidecar', () => {
    for (const instance of local) {
      const { name, app, sidecar, flags } = instances.find((one) => one.name === instance.name)!;
      const what = {
        name,
        entry: entryOf(app.command ?? []),
        appId: flags.get('app-id'),
        config: flags.get('config'),
        address: [app.network_mode, sidecar.network_mode],
        components: flags.get('resources-path'),
      };
      expect(what).toEqual({
        name: instance.name,
        entry: entryOf(instance.command),
        appId: [instance.appId],
        config: [`/config/${basename(instance.configFile)}`],
        address: [`service:${name}`, `service:${name}`],
        components: ['/components', '/resiliency'],
      });
      for (const [flag, value] of flagsOf(instance.sidecarFlags)) {
        expect([name, flag, flags.get(flag)]).toEqual([name, flag, value]);
      }
      expect([name, flags.has('placement-host-address')]).toEqual([name, instance.hasActors]);
    }
  });

  test('the sidecar finds its app, and the app its sidecar', () => {
    for (const { name, app, flags } of instances) {
      const { APP_PORT, DAPR_HTTP_PORT, DAPR_GRPC_PORT } = app.environment ?? {};
      const told = { app: flags.get('app-port'), http: flags.get('dapr-http-port'), grpc: flags.get('dapr-grpc-port') };
      expect({ name, ...told }).toEqual({ name, app: [APP_PORT], http: [DAPR_HTTP_PORT], grpc: [DAPR_GRPC_PORT] });
    }
  });

  test('each has the variables that it has locally, and its schema accepts them and knows all of them', async () => {
    for (const instance of local) {
      const { name, app } = instances.find((one) => one.name === instance.name)!;
      expect(app.env_file).toEqual(['deploy/compose/.secrets/tokens.env']);
      const env = { ...app.environment, ...TOKENS };
      expect(lacking(await givenLocally(instance), env)).toEqual([]);
      expect(env).toMatchObject({ ...instance.env, PLAYBILL_REPLICA: name, APP_ID: instance.appId });
      await expectAccepted(name, folderOf(app.command ?? []), env);
    }
  });

  test('Prometheus asks every instance and every sidecar', () => {
    const { scrape_configs: jobs } = parse(read('deploy', 'compose', 'prometheus', 'prometheus.yml'));
    const targets = (job: string) =>
      jobs.find((one: { job_name: string }) => one.job_name === job).static_configs[0].targets.sort();
    expect(targets('services')).toEqual(
      instances.map(({ name, app }) => `${name}:${app.environment?.APP_PORT}`).sort(),
    );
    expect(targets('sidecars')).toEqual(
      instances.map(({ name, flags }) => `${name}:${flags.get('metrics-port')}`).sort(),
    );
  });
});

describe.each<Overlay>(['dev', 'production'])(
  'deploy/kubernetes/overlays/%s runs what dapr/dapr.yaml runs',
  (overlay) => {
    const resources = renderOverlay(overlay);
    const services = servicesOf(resources);
    const of = (instance: AppInstance): KubernetesService => services.find(({ appId }) => appId === instance.appId)!;

    test('the same app-ids, with at least as many replicas', () => {
      const count = new Map<string, number>();
      for (const { appId } of local) count.set(appId, (count.get(appId) ?? 0) + 1);
      expect(services.map(({ appId }) => appId).sort()).toEqual([...count.keys()].sort());
      for (const { appId, replicas } of services) {
        expect([appId, replicas >= (count.get(appId) ?? 0)]).toEqual([appId, true]);
      }
    });

    test('each by the same command and configuration, with the same settings of the sidecar', () => {
      for (const instance of local) {
        const { appId, command, annotations, containerPorts } = of(instance);
        expect([appId, entryOf(command)]).toEqual([appId, entryOf(instance.command)]);
        expect([appId, annotations['dapr.io/config']]).toEqual([appId, basename(instance.configFile, '.yaml')]);
        expect(containerPorts.map(String)).toEqual([annotations['dapr.io/app-port']]);
        for (const [flag, [value]] of flagsOf(instance.sidecarFlags)) {
          if (flag === 'log-level') continue; // info is the default
          expect([appId, flag, annotations[`dapr.io/${flag}`]]).toEqual([appId, flag, value || 'true']);
        }
        // An empty one switches actors off, none is the chart's.
        const placement = annotations['dapr.io/placement-host-address'];
        expect([appId, placement]).toEqual([appId, instance.hasActors ? undefined : '']);
      }
    });

    test('each has the variables that it has locally, and its schema accepts them and knows all of them', async () => {
      for (const instance of local) {
        const { appId, command, env, annotations } = of(instance);
        expect([appId, lacking(await givenLocally(instance), env)]).toEqual([appId, []]);
        const { PLAYBILL_REPLICA: _name, ...same } = instance.env;
        expect(env).toMatchObject({ ...same, APP_ID: appId, APP_PORT: annotations['dapr.io/app-port'] });
        await expectAccepted(appId, folderOf(command), env);
      }
    });

    test('each has a budget for disruptions, and an account of its own', () => {
      const budgets = ofKind(resources, 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
      expect(budgets.sort()).toEqual(services.map(({ appId }) => appId).sort());
      const accounts = services.map(({ resource }) => resource.spec.template.spec.serviceAccountName);
      expect(new Set(accounts).size).toBe(services.length);
    });
  },
);

function lacking(names: readonly string[], env: Readonly<Record<string, string>>): string[] {
  return names.filter((name) => !(name in env));
}

async function expectAccepted(name: string, folder: string, env: Record<string, string>): Promise<void> {
  const schema = await configSchemaOf(folder);
  const { error } = schema.safeParse(env);
  expect([name, error?.issues ?? []]).toEqual([name, []]);
  const known = [...Object.keys(schema.shape), ...OF_EVERY_PROCESS];
  expect([name, Object.keys(env).filter((key) => !known.includes(key))]).toEqual([name, []]);
}
