-- Headscale 0.16: namespaces, machines with bare keys, both addresses and the enabled routes in one column each.
CREATE TABLE namespaces (id integer PRIMARY KEY, created_at datetime, updated_at datetime, deleted_at datetime, name text UNIQUE);
INSERT INTO namespaces VALUES(1,'2022-05-01 10:00:00.123456789+02:00',NULL,NULL,'anna');
INSERT INTO namespaces VALUES(2,'2022-05-01 10:00:00+00:00',NULL,'2022-06-01 10:00:00+00:00','gone');
CREATE TABLE pre_auth_keys (id integer PRIMARY KEY, key text, namespace_id integer, reusable numeric, ephemeral numeric DEFAULT false, used numeric DEFAULT false, created_at datetime, expiration datetime);
INSERT INTO pre_auth_keys VALUES(1,'0123456789abcdef0123456789abcdef0123456789abcdef',1,1,0,1,'2022-05-01 10:00:00+00:00','2032-05-01 10:00:00+00:00');
INSERT INTO pre_auth_keys VALUES(2,'fedcba9876543210fedcba9876543210fedcba9876543210',2,0,1,0,'2022-05-01 10:00:00+00:00',NULL);
CREATE TABLE pre_auth_key_acl_tags (id integer PRIMARY KEY, pre_auth_key_id integer, tag text);
INSERT INTO pre_auth_key_acl_tags VALUES(1,1,'tag:box');
INSERT INTO pre_auth_key_acl_tags VALUES(2,1,'tag:lab');
CREATE TABLE api_keys (id integer PRIMARY KEY, prefix text UNIQUE, hash blob, created_at datetime, expiration datetime, last_seen datetime);
CREATE TABLE kvs (key text, value text);
CREATE TABLE machines (id integer PRIMARY KEY, machine_key varchar(64), node_key text, disco_key text, ip_addresses text, hostname text, given_name text, namespace_id integer, register_method text, forced_tags text, auth_key_id integer, last_seen datetime, last_successful_update datetime, expiry datetime, host_info text, endpoints text, enabled_routes text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO machines VALUES(3,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','100.64.0.3,fd7a:115c:a1e0::3','laptop','laptop-abc',1,'authkey','[]',1,'2022-05-02 10:00:00+00:00',NULL,'0001-01-01 00:00:00+00:00','{"OS":"linux","Hostname":"laptop","RoutableIPs":["10.1.0.0/16"]}','["192.0.2.7:41641"]','["10.1.0.0/16"]','2022-05-01 10:00:00+00:00',NULL,NULL);
INSERT INTO machines VALUES(4,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee','','100.64.0.4','old','',1,'cli',NULL,NULL,NULL,NULL,NULL,'{}','[]','null','2022-05-01 10:00:00+00:00',NULL,'2022-05-03 10:00:00+00:00');
