import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT_DIR, type Stack, type StackOptions, startStack } from '../../../deploy/local/stack/index.js';
import { ingestTokenOf } from '../../chaos/clients.js';
import { World } from '../../chaos/world.js';
import { startSmtpSink } from './smtp-sink.js';

/** A stack of a test's own, empty, whose mails go into a sink. */
export interface OwnWorld {
  readonly stack: Stack;
  readonly world: World;
  /** Ends it, and removes its data. */
  close(): Promise<void>;
}

export interface OwnWorldOptions extends Pick<StackOptions, 'codeDir' | 'services'> {
  /** Folder of its data in .local. */
  readonly name: string;
  /** Added to PLAYBILL_PORT_OFFSET. */
  readonly portOffset: number;
}

export async function openOwnWorld({ name, portOffset, ...options }: OwnWorldOptions): Promise<OwnWorld> {
  const stateDir = join(ROOT_DIR, '.local', name);
  await rm(stateDir, { recursive: true, force: true });
  const sink = await startSmtpSink(0);
  let stack: Stack | undefined;
  let world: World | undefined;
  const close = async () => {
    await world?.close();
    await stack?.stop();
    await sink.close();
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    stack = await startStack({
      ...options,
      stateDir,
      portOffset: portOffset + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0),
      fresh: true,
      env: {
        PLAYBILL_DB_LOG_SIZE: '128M',
        PLAYBILL_SMTP: `127.0.0.1:${sink.port}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
      },
    });
    world = new World(stack, await ingestTokenOf(stack), { sink });
    return { stack, world, close };
  } catch (error) {
    await close();
    throw error;
  }
}
