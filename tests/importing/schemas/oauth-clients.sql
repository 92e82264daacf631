-- 0.30: OAuth clients and their tokens, beside keys of the same ids. The first secret ends in 64 times the digit 5.
CREATE TABLE users(id integer PRIMARY KEY AUTOINCREMENT, name text, display_name text, email text,
  provider_identifier text, provider text, profile_pic_url text, created_at datetime, updated_at datetime,
  deleted_at datetime);
CREATE TABLE nodes(id integer PRIMARY KEY AUTOINCREMENT, machine_key text, node_key text, disco_key text,
  endpoints text, host_info text, ipv4 text, ipv6 text, hostname text, given_name varchar(63), user_id integer,
  register_method text, tags text, auth_key_id integer, last_seen datetime, expiry datetime, approved_routes text,
  created_at datetime, updated_at datetime, deleted_at datetime);
CREATE TABLE api_keys(id integer PRIMARY KEY AUTOINCREMENT, prefix text, hash blob, expiration datetime,
  last_seen datetime, created_at datetime);
CREATE TABLE oauth_clients(id integer PRIMARY KEY AUTOINCREMENT, client_id text, secret_hash blob, scopes text,
  tags text, description text, user_id integer, created_at datetime, revoked datetime);
CREATE TABLE oauth_access_tokens(id integer PRIMARY KEY AUTOINCREMENT, prefix text, hash blob, client_id text,
  scopes text, tags text, expiration datetime, created_at datetime);

INSERT INTO users(id, name, created_at) VALUES (1, 'anna', '2026-05-01 08:00:00+00:00');
INSERT INTO api_keys VALUES
  (1, 'abcdefABCDEF', '$2a$10$' || '0123456789012345678901234567890123456789012345678901', NULL, NULL,
   '2026-05-01 08:00:00+00:00');
INSERT INTO oauth_clients VALUES
  (1, '0123456789ab', CAST('$argon2id$v=19$m=64,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$qr88opGrmMNv2zFmNnjZ62aV+eEKlkVzQzl5X/PuBMI' AS BLOB),
   '["auth_keys","devices:core","webhooks"]', '["tag:k8s-operator"]', 'operator', 1, '2026-06-01 08:00:00+00:00', NULL),
  (2, 'ba9876543210', CAST('$argon2id$v=19$m=64,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$qr88opGrmMNv2zFmNnjZ62aV+eEKlkVzQzl5X/PuBMI' AS BLOB),
   '["webhooks"]', 'null', '', NULL, '2026-06-01 08:00:00+00:00', NULL),
  (3, 'cccccccccccc', CAST('not a hash' AS BLOB), '["all"]', NULL, NULL, 9, NULL, NULL);
INSERT INTO oauth_access_tokens VALUES
  (1, 'dddddddddddd', CAST('x' AS BLOB), '0123456789ab', '["auth_keys"]', '[]', '2026-06-01 09:00:00+00:00',
   '2026-06-01 08:00:00+00:00');
