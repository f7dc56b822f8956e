import type { Database } from './database.ts'

/** What was found out about the machine that a store is on, by name. A new database knows nothing. */
export class MachineFacts {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  get(name: string): string | undefined {
    const row = this.#database.get('SELECT value FROM state WHERE name = ?', keyOf(name))
    return typeof row?.value === 'string' ? row.value : undefined
  }

  set(name: string, value: string): void {
    const sql = 'INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)'
    this.#database.run(sql, keyOf(name), value)
  }
}

/** The table has the state of the store itself, too. */
function keyOf(name: string): string {
  return `fact ${name}`
}
