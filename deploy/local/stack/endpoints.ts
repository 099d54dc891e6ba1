/** Where a server listens. */
export interface Endpoint {
  host: string;
  port: number;
}

/** One instance of an app with its sidecar; every port is on 127.0.0.1. */
export interface AppEndpoint {
  readonly name: string;
  readonly appPort: number;
  readonly sidecarHttpPort: number;
  readonly sidecarGrpcPort: number;
  readonly sidecarMetricsPort: number;
}

/** Where everything of a running stack is. */
export interface StackEndpoints {
  readonly primary: Endpoint;
  readonly replicas: { name: string; endpoint: Endpoint }[];
  readonly redis: Endpoint;
  /** The mail server. */
  readonly smtp: Endpoint;
  /** The web page of the development inbox, when it runs. */
  readonly inboxUrl?: string;
  /** Token of the sidecars' APIs. */
  readonly daprApiToken: string;
  /** By app-id; empty for an app that was not started. */
  readonly apps: Readonly<Record<string, readonly AppEndpoint[]>>;
  /** What the operators' command line needs. */
  readonly batch: { sidecarPorts: number[]; daprApiToken: string };
  readonly user: { sidecarPorts: number[] };
  readonly report: { sidecarPorts: number[] };
  /** The public address, when the gateway runs. */
  readonly gatewayUrl?: string;
}

/** `host:port`, as the services' settings take it. */
export function textOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
