/** Some versions announce node:sqlite as experimental; every other warning of Node is passed on. */
export function hideSqliteWarning(): void {
  const { emitWarning } = process
  process.emitWarning = (...args: unknown[]) => {
    const [warning] = args
    const text = warning instanceof Error ? warning.message : String(warning)
    if (!/\bSQLite\b.*experimental/i.test(text)) Reflect.apply(emitWarning, process, args)
  }
}
