import { displayWidth, padToWidth } from '../../terminal/width.ts'

const MIN_WIDTH = 10
const PADDING = 3

/**
 * Lines with tabs, columns aligned as docker aligns them: what stands behind the last tab is not filled.
 * @param least how wide a column is, with its padding
 */
export function alignTabs(lines: readonly string[], least: number = MIN_WIDTH): string {
  const rows = lines.map((line) => line.split('\t'))
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? least, displayWidth(cell) + PADDING)
    }
  }
  return rows
    .map((row) => {
      const last = row.length - 1
      return row
        .map((cell, column) => (column === last ? cell : padToWidth(cell, widths[column] ?? 0)))
        .join('')
    })
    .map((line) => `${line}\n`)
    .join('')
}
