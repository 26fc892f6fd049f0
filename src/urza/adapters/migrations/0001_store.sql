-- Everything but the bytes of blobs. A path's content is a sealed text, byte for byte what a store of files has there.
create sequence urza.versions;
create table urza.files (
  path text collate "C" primary key,
  bytes bytea not null,
  version bigint not null default nextval('urza.versions'),
  facts jsonb
);

-- Which object holds a blob. Every upload is an object of its own, so that removing one never meets another.
create table urza.blobs (
  path text collate "C" primary key,
  key text not null unique,
  size_bytes bigint not null,
  version bigint not null default nextval('urza.versions')
);

-- Names this store, and the place of its blobs bears the same name; when what nothing needs was last collected.
create table urza.identity (id text not null, collected timestamptz not null);
insert into urza.identity values (gen_random_uuid()::text, now());

-- For people: what is known of blueprints and kernels.
create view urza.records as
select record ->> 'kind' as kind,
  record ->> 'hash' as hash,
  record ->> 'state' as state,
  record -> 'lease' ->> 'owner' as lease_owner,
  to_timestamp((record -> 'lease' ->> 'until')::double precision / 1000) as lease_until,
  record -> 'meta' as meta,
  record -> 'report' as report
from (
  select convert_from(bytes, 'UTF8')::jsonb -> 'value' as record from urza.files where path like 'records/%'
) as read;
