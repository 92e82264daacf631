-- Headscale 0.22: users, machines, and a table of routes that speaks of machines.
CREATE TABLE users (id integer PRIMARY KEY, created_at datetime, updated_at datetime, deleted_at datetime, name text UNIQUE);
INSERT INTO users VALUES(1,'2023-05-01 10:00:00+00:00',NULL,NULL,'anna');
CREATE TABLE pre_auth_keys (id integer PRIMARY KEY, key text, user_id integer, reusable numeric, ephemeral numeric DEFAULT false, used numeric DEFAULT false, created_at datetime, expiration datetime);
CREATE TABLE routes (id integer PRIMARY KEY, created_at datetime, updated_at datetime, deleted_at datetime, machine_id integer, prefix text, advertised numeric, enabled numeric, is_primary numeric);
INSERT INTO routes VALUES(1,NULL,NULL,NULL,7,'10.7.0.0/16',1,1,1);
INSERT INTO routes VALUES(2,NULL,NULL,NULL,7,'0.0.0.0/0',1,1,0);
INSERT INTO routes VALUES(3,NULL,NULL,NULL,7,'10.8.0.0/16',1,0,0);
INSERT INTO routes VALUES(4,NULL,NULL,'2023-05-02 10:00:00+00:00',7,'10.9.0.0/16',1,1,0);
INSERT INTO routes VALUES(5,NULL,NULL,NULL,7,'not a prefix',1,1,0);
CREATE TABLE machines (id integer PRIMARY KEY, machine_key varchar(64), node_key text, disco_key text, ip_addresses text, hostname text, given_name text, user_id integer, register_method text, forced_tags text, auth_key_id integer, last_seen datetime, expiry datetime, host_info text, endpoints text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO machines VALUES(7,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','fd7a:115c:a1e0::7,100.64.0.7','router','router',1,'cli','["tag:router"]',NULL,NULL,'2033-05-01 10:00:00+00:00','{}','[]','2023-05-01 10:00:00+00:00',NULL,NULL);
