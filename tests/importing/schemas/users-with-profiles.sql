-- Headscale 0.24: users with profiles, nodes with prefixed keys and an address column each, a table of routes.
CREATE TABLE users (id integer PRIMARY KEY, created_at datetime, updated_at datetime, deleted_at datetime, name text, display_name text, email text, provider_identifier text, provider text, profile_pic_url text);
INSERT INTO users VALUES(1,'2024-05-01 10:00:00+00:00',NULL,NULL,'anna','Anna','anna@example.com','https://id.example.com/realms/main/4f-2','oidc','https://id.example.com/anna.png');
INSERT INTO users VALUES(2,'2024-05-01 10:00:00+00:00',NULL,NULL,'anna','','',NULL,'','');
INSERT INTO users VALUES(5,'2024-05-01 10:00:00+00:00',NULL,NULL,'','','only@example.com','sub-5','oidc','');
CREATE TABLE pre_auth_keys (id integer PRIMARY KEY, key text, user_id integer, reusable numeric, ephemeral numeric DEFAULT false, used numeric DEFAULT false, tags text, created_at datetime, expiration datetime);
INSERT INTO pre_auth_keys VALUES(9,'0123456789abcdef0123456789abcdef0123456789abcdef',1,0,1,1,'["tag:ci"]','2024-05-01 10:00:00+00:00','2024-05-01 11:00:00+00:00');
CREATE TABLE policies (id integer PRIMARY KEY, created_at datetime, updated_at datetime, deleted_at datetime, data text);
INSERT INTO policies VALUES(1,'2024-05-01 10:00:00+00:00',NULL,NULL,'{"acls":[]}');
INSERT INTO policies VALUES(2,'2024-05-02 10:00:00+00:00',NULL,NULL,'{"acls":[{"action":"accept","src":["*"],"dst":["*:*"]}]} // all');
CREATE TABLE routes (id integer PRIMARY KEY, deleted_at datetime, node_id integer, prefix text, advertised numeric, enabled numeric, is_primary numeric);
INSERT INTO routes VALUES(1,NULL,1,'10.1.0.0/16',1,1,1);
CREATE TABLE nodes (id integer PRIMARY KEY, machine_key text, node_key text, disco_key text, endpoints text, host_info text, ipv4 text, ipv6 text, hostname text, given_name varchar(63), user_id integer, register_method text, forced_tags text, auth_key_id integer, expiry datetime, last_seen datetime, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO nodes VALUES(1,'mkey:1111111111111111111111111111111111111111111111111111111111111111','nodekey:1111111111111111111111111111111111111111111111111111111111111111','discokey:1111111111111111111111111111111111111111111111111111111111111111','[]','{}','100.64.0.1','fd7a:115c:a1e0::1','ci','ci',1,'authkey','[]',9,'2034-05-01 10:00:00+00:00','2024-05-03 10:00:00+00:00','2024-05-01 10:00:00+00:00',NULL,NULL);
