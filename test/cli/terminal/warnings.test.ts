import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

/** Prints warnings, also the one that Node 22 prints about a part of it. */
const SCRIPT = `
const { hideSqliteWarning } = await import(process.argv[1])
if (process.argv[2] === 'hide') hideSqliteWarning()
process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning')
process.emitWarning('careful')
process.emitWarning(new Error('caution'))
`

const MODULE = new URL('../../../cli/terminal/warnings.js', import.meta.url).href

function warningsOf(mode: string): string {
  const args = ['--input-type=module', '-e', SCRIPT, MODULE, mode]
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr
}

describe('warnings of Node', () => {
  it('are hidden for node:sqlite and no other', () => {
    assert.match(warningsOf('show'), /SQLite/)
    const hidden = warningsOf('hide')
    assert.doesNotMatch(hidden, /SQLite/)
    assert.match(hidden, /careful[\s\S]*caution/)
  })
})
