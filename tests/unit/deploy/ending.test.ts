import { readRunFile } from '../../../deploy/local/stack/run-file.js';
import { appSpec, sidecarSpec } from '../../../deploy/local/stack/services.js';
import { END_TIMES_MS } from '../../../services/libs/service/index.js';
import { composeInstances, flagsOf, readCompose } from './support/compose.js';
import { renderOverlay, servicesOf } from './support/kubernetes.js';
import { LOCAL_OPTIONS } from './support/services.js';

/** How an instance is told to end, and what it has of time then. Instants are seconds after the first signal. */
interface EndOfInstance {
  readonly name: string;
  readonly appToldAt: number;
  /** Until then the sidecar takes calls, unless its app has ended before. */
  readonly sidecarServesUntil: number;
  /** What the sidecar has after its calls are answered. */
  readonly sidecarCloses: number;
  readonly appKilledAt: number;
  readonly sidecarKilledAt: number;
}

const seconds = (text: string | undefined): number => {
  const match = /^(\d+)s?$/.exec(text ?? '');
  if (match === null) throw new Error(`${text} is not a number of seconds`);
  return Number(match[1]);
};

async function locally(): Promise<EndOfInstance[]> {
  const instances = await readRunFile({ portOffset: 0, env: {}, services: undefined });
  // Here the gateway's sidecar is told when its app has ended, and has nothing to wait for.
  return instances
    .filter(({ appId }) => appId !== 'gateway')
    .map((instance) => {
      const sidecar = sidecarSpec(instance, LOCAL_OPTIONS);
      const flags = flagsOf(sidecar.args);
      return {
        name: instance.name,
        appToldAt: 0,
        sidecarServesUntil: seconds(flags.get('dapr-block-shutdown-duration')?.[0]),
        sidecarCloses: seconds(flags.get('dapr-graceful-shutdown-seconds')?.[0]),
        appKilledAt: appSpec(instance, LOCAL_OPTIONS).stopGraceMs / 1_000,
        sidecarKilledAt: sidecar.stopGraceMs / 1_000,
      };
    });
}

function inContainers(): EndOfInstance[] {
  return composeInstances(readCompose()).map(({ name, app, sidecar, flags }) => ({
    name,
    appToldAt: 0,
    sidecarServesUntil: seconds(flags.get('dapr-block-shutdown-duration')?.[0]),
    sidecarCloses: seconds(flags.get('dapr-graceful-shutdown-seconds')?.[0]),
    appKilledAt: seconds(app.stop_grace_period),
    sidecarKilledAt: seconds(sidecar.stop_grace_period),
  }));
}

function onKubernetes(): EndOfInstance[] {
  return servicesOf(renderOverlay('production')).map(({ appId, annotations, resource }) => {
    const { spec } = resource.spec.template;
    const [command, time] = spec.containers[0].lifecycle.preStop.exec.command;
    expect(command).toBe('sleep');
    return {
      name: appId,
      appToldAt: seconds(time),
      sidecarServesUntil: seconds(annotations['dapr.io/block-shutdown-duration']),
      sidecarCloses: seconds(annotations['dapr.io/graceful-shutdown-seconds']),
      appKilledAt: spec.terminationGracePeriodSeconds,
      sidecarKilledAt: spec.terminationGracePeriodSeconds,
    };
  });
}

const { linger, answers, release } = END_TIMES_MS;
const GATEWAY_LINGER_S = 1;

describe.each([
  ['deploy/local', locally],
  ['docker-compose.yml', inContainers],
  ['deploy/kubernetes', onKubernetes],
])('%s', (_where, read) => {
  test('a service that ends has its sidecar while it hands back its work, and takes calls for as long as that does', async () => {
    for (const { name, appToldAt, sidecarServesUntil } of await read()) {
      const servesOn = sidecarServesUntil - appToldAt;
      if (name === 'gateway') expect([name, servesOn > GATEWAY_LINGER_S + linger / 1_000]).toEqual([name, true]);
      else expect([name, servesOn >= 2 && servesOn < linger / 1_000]).toEqual([name, true]);
    }
  });

  test('nothing is killed before its own time is over', async () => {
    for (const { name, appToldAt, sidecarServesUntil, sidecarCloses, ...killed } of await read()) {
      expect([name, killed.appKilledAt > appToldAt + release / 1_000]).toEqual([name, true]);
      // What the sidecar has taken is answered or cut off by its app.
      const calls = name === 'gateway' ? sidecarServesUntil : appToldAt + answers / 1_000;
      expect([name, killed.sidecarKilledAt >= calls + sidecarCloses]).toEqual([name, true]);
    }
  });
});

test('the same number means the same everywhere', async () => {
  const [local, containers] = [await locally(), inContainers()];
  for (const one of local) expect(containers.find(({ name }) => name === one.name)).toEqual(one);
  for (const { sidecarCloses } of onKubernetes()) expect(sidecarCloses).toBe(local[0]!.sidecarCloses);
});
