/**
 * Index tables: the schema of `search.db`, and the statements that read and write it.
 */
import type { Database } from 'better-sqlite3'

/** A candidate: the document's number, and its message by group key and seq. */
export type Candidate = readonly [document: number, group: number, seq: number]

/** How far a group is indexed. */
export interface Mark {
  readonly group: number
  readonly groupId: string
  readonly seq: number
}

/** Version of the tables and of the tokens. An index with another version is rebuilt. */
export const VERSION = 4

/** Creates the tables in an empty file. */
export function createIndex(db: Database): void {
  // `ascii` only splits at spaces here: characters above 127 belong to tokens, and texts are folded.
  // Prefix indexes of one and two characters make the prefixes that match most words cheap.
  // To remove words from the index, and not only mark their document as deleted, FTS5 must know
  // them. Therefore, `documents` stores them (https://sqlite.org/fts5.html#the_secure_delete_configuration_option).
  db.exec(`
    CREATE TABLE documents (
      document  INTEGER PRIMARY KEY,
      group_key INTEGER NOT NULL,
      seq       INTEGER NOT NULL,
      text      TEXT NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5
      (text, content='documents', content_rowid='document', columnsize=0, tokenize='ascii', prefix='1 2');
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
    CREATE UNIQUE INDEX documents_by_message ON documents (group_key, seq);
    CREATE TABLE marks (
      group_key INTEGER PRIMARY KEY,
      group_id  TEXT NOT NULL,
      seq       INTEGER NOT NULL
    ) STRICT;
    PRAGMA user_version = ${VERSION};`)
}

/** Prepared statements. The library's own type has no name that declarations could use. */
interface WriteStatement {
  run(...values: unknown[]): unknown
}

interface LookUp<Args extends unknown[], Value> {
  get(...args: Args): Value | undefined
}

interface Hits<Args extends unknown[]> {
  iterate(...args: Args): IterableIterator<Candidate>
}

/** The statements, prepared for as long as the file is open. */
export function prepareIndex(db: Database) {
  const write = (sql: string): WriteStatement => db.prepare(sql)
  const number = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as LookUp<Args, number>
  const hits = <Args extends unknown[]>(sql: string) => db.prepare(sql).raw() as unknown as Hits<Args>
  return {
    begin: write('BEGIN IMMEDIATE'),
    commit: write('COMMIT'),
    rollback: write('ROLLBACK'),
    count: number<[]>('SELECT count(*) FROM documents'),
    mark: db.prepare(
      'SELECT group_key AS "group", group_id AS groupId, seq FROM marks WHERE group_key = ?',
    ) as unknown as LookUp<[group: number], Mark>,
    putMark: write(`
      INSERT INTO marks (group_key, group_id, seq) VALUES (?, ?, ?)
      ON CONFLICT (group_key) DO UPDATE SET seq = excluded.seq`),
    document: number<[number, number]>('SELECT document FROM documents WHERE group_key = ? AND seq = ?'),
    words: db.prepare('SELECT text FROM documents WHERE document = ?').pluck() as unknown as LookUp<
      [document: number],
      string
    >,
    lastNumber: number<[number, number]>(
      'SELECT max(document) FROM documents WHERE document >= ? AND document < ?',
    ),
    addDocument: write('INSERT INTO documents (document, group_key, seq, text) VALUES (?, ?, ?, ?)'),
    dropDocument: write('DELETE FROM documents WHERE document = ?'),
    changeDocument: write('UPDATE documents SET text = ? WHERE document = ?'),
    flush: write("INSERT INTO words (words) VALUES ('flush')"),
    addWords: write('INSERT INTO words (rowid, text) VALUES (?, ?)'),
    dropWords: write('DELETE FROM words WHERE rowid = ?'),
    search: hits<[match: string, from: number, to: number]>(`
      SELECT d.document, d.group_key, d.seq FROM words w CROSS JOIN documents d ON d.document = w.rowid
      WHERE w.words MATCH ? AND w.rowid >= ? AND w.rowid < ? ORDER BY w.rowid DESC`),
    searchAmong: hits<[match: string, from: number, to: number, groups: string]>(`
      SELECT d.document, d.group_key, d.seq FROM words w CROSS JOIN documents d ON d.document = w.rowid
      WHERE w.words MATCH ? AND w.rowid >= ? AND w.rowid < ?
        AND d.group_key IN (SELECT value FROM json_each(?))
      ORDER BY w.rowid DESC`),
  }
}
