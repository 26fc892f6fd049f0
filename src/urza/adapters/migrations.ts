import store from "./migrations/0001_store.sql" with { type: "text" };

/** SQL that takes a database from one version of the store to the next, in order. */
export const MIGRATIONS: readonly string[] = [store];
