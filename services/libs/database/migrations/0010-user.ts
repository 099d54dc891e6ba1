import { createTable } from './migration.js';

/** Accounts, sign-ins and who may call. Times are UTC; hashes are SHA-256 of random tokens, in hexadecimal. */
export const user = [
  createTable({
    name: 'CreateUser1762010000001',
    table: 'playbill_user.user',
    // The email is in its normal form, so it is compared byte by byte.
    definition: `(
      user_id BIGINT NOT NULL,
      email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      password_hash VARCHAR(200) CHARACTER SET ascii NOT NULL,
      is_operator TINYINT NOT NULL DEFAULT 0,
      created_at DATETIME(3) NOT NULL,
      PRIMARY KEY (user_id),
      UNIQUE KEY by_email (email)
    ) ENGINE=InnoDB`,
  }),
  createTable({
    name: 'CreateSession1762010000002',
    table: 'playbill_user.session',
    definition: `(
      session_id CHAR(36) CHARACTER SET ascii NOT NULL,
      user_id BIGINT NOT NULL,
      created_at DATETIME(3) NOT NULL,
      revoked_at DATETIME(3) NULL,
      revoked_because VARCHAR(16) CHARACTER SET ascii NULL,
      expires_at DATETIME(3) NOT NULL,
      PRIMARY KEY (session_id),
      KEY by_end (expires_at)
    ) ENGINE=InnoDB`,
  }),
  createTable({
    name: 'CreateRefreshToken1762010000003',
    table: 'playbill_user.refresh_token',
    definition: `(
      token_hash CHAR(64) CHARACTER SET ascii NOT NULL,
      session_id CHAR(36) CHARACTER SET ascii NOT NULL,
      expires_at DATETIME(3) NOT NULL,
      spent_at DATETIME(3) NULL,
      PRIMARY KEY (token_hash),
      KEY by_end (expires_at)
    ) ENGINE=InnoDB`,
  }),
  createTable({
    name: 'CreateSigningKey1762010000004',
    table: 'playbill_user.signing_key',
    definition: `(
      kid VARCHAR(40) CHARACTER SET ascii NOT NULL,
      public_jwk VARCHAR(500) CHARACTER SET ascii NOT NULL,
      sealed_private_key VARBINARY(500) NOT NULL,
      created_at DATETIME(3) NOT NULL,
      PRIMARY KEY (kid)
    ) ENGINE=InnoDB`,
  }),
  createTable({
    name: 'CreateClient1762010000005',
    table: 'playbill_user.client',
    definition: `(
      client_id VARCHAR(64) CHARACTER SET ascii NOT NULL,
      token_hash CHAR(64) CHARACTER SET ascii NOT NULL,
      scopes VARCHAR(100) CHARACTER SET ascii NOT NULL,
      created_at DATETIME(3) NOT NULL,
      expires_at DATETIME(3) NULL,
      PRIMARY KEY (client_id)
    ) ENGINE=InnoDB`,
  }),
  createTable({
    name: 'CreateLoginFailure1762010000006',
    table: 'playbill_user.login_failure',
    definition: `(
      account_hash CHAR(64) CHARACTER SET ascii NOT NULL,
      failures INT NOT NULL,
      window_ends_at DATETIME(3) NOT NULL,
      PRIMARY KEY (account_hash),
      KEY by_end (window_ends_at)
    ) ENGINE=InnoDB`,
  }),
];
