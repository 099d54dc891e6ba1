// Exits 0 when this container's service answers on its own port: by default that it lives, with `ready` that it can be
// sent traffic.
const path = process.argv[2] === 'ready' ? 'readyz' : 'healthz';
const DEADLINE_MS = 1_500;
const url = `http://127.0.0.1:${process.env.APP_PORT}/${path}`;
const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) }).catch(() => undefined);
process.exit(response?.ok === true ? 0 : 1);
