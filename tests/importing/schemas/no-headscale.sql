CREATE TABLE recipes (id integer PRIMARY KEY, name text);
