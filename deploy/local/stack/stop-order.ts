/** Who ends before whom: nothing loses what it needs while it ends. */
export const StopOrder = { apps: 1, sidecars: 2, controlPlane: 3, redis: 4, replicas: 5, primary: 6 } as const;
