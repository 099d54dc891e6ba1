import { installationOf } from '../../../services/ops/adapters/installation.js';
import { UserClient } from '../../../services/ops/adapters/user-client.js';
import { stack } from './stack.js';

let users: UserClient | undefined;

/** The user service's calls for the operators' command line. */
export function userClient(): UserClient {
  const { endpoints, secrets } = stack();
  users ??= new UserClient(installationOf(endpoints, secrets));
  return users;
}

/** An access token of the operators' command line. */
export function operatorToken(): Promise<string> {
  return userClient().operatorToken();
}
