/**
 * Who ends before whom: nothing loses what it needs while it ends. A service and its sidecar are told together (each waits
 * for what it needs of the other); the gateway, which nobody calls by its sidecar, ends first and then its sidecar.
 */
export const StopOrder = {
  gateway: 1,
  instances: 2,
  controlPlane: 3,
  redis: 4,
  replicas: 5,
  primary: 6,
} as const;
