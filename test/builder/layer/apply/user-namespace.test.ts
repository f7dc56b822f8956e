import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { directory, file, header, tar } from '../../../support/raw-tar/index.ts'
import { hasTool, temporary } from '../support/files.ts'

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url))

/** Applies `argv[1]` to `argv[2]`, and prints what came of it. */
const SCRIPT = `
const { applyLayer, changesOf } = await import('#builder/layer')
const { getXattr } = await import('#builder/linux')
const { createReadStream } = await import('node:fs')
const [from, to, owners] = process.argv.slice(1)
const warnings = []
const options = { lowers: [], owners, onWarning: (text) => warnings.push(text) }
const error = await applyLayer(createReadStream(from), to, options).then(() => undefined, (e) => e)
const changes = error ? [] : Array.from(changesOf(to), (change) => change.kind + ' ' + change.path)
const mark = error ? undefined : String(getXattr(to + '/d', 'user.overlay.opaque'))
console.log(JSON.stringify({ warnings, changes, mark, code: error?.code, message: error?.message, hint: error?.hint }))
`

/** The user that made it is root in there, and there is no other. */
const ENTER = ['--user', '--map-root-user', '--mount']

describe('a layer in a user namespace', () => {
  const files = temporary()

  before(function () {
    if (!hasTool('unshare')) this.skip()
    try {
      execFileSync('unshare', [...ENTER, 'true'], { stdio: 'ignore' })
    } catch {
      this.skip()
    }
  })

  function applied(layer: Buffer, owners: 'keep' | 'drop') {
    const from = files.fresh()
    writeFileSync(from, layer)
    const args = [...ENTER, process.execPath, '--input-type=module', '-e', SCRIPT]
    const options = { cwd: ROOT, encoding: 'utf8' } as const
    return JSON.parse(execFileSync('unshare', [...args, from, files.fresh(), owners], options))
  }

  it('has deletions, opaque marks and devices', () => {
    const device = header({ name: 'null', type: '3', major: 1, minor: 3 })
    const fifo = header({ name: 'fifo', type: '6' })
    const parts = [
      directory('d/'),
      file('d/.wh..wh..opq'),
      file('.wh.gone'),
      device,
      fifo,
      file('su', 'x', { mode: 0o4755 }),
    ]
    const { code, warnings, changes, mark } = applied(tar(...parts), 'keep')
    assert.equal(code, undefined)
    assert.deepEqual(warnings, [])
    const entries = ['entry d', 'opaque d', 'entry fifo', 'whiteout gone', 'entry null', 'entry su']
    assert.deepEqual(changes, entries)
    assert.equal(mark, 'y')
    assert.deepEqual(applied(tar(...parts), 'drop').warnings, [
      'left out the device "/null": only root can make devices',
    ])
  })

  it('keeps only owners that exist, unless owners are dropped', () => {
    const layer = tar(directory('d/'), file('a', 'x', { uid: 1000, gid: 1000 }))
    const { code, message, hint } = applied(layer, 'keep')
    assert.equal(code, 'PERMISSION_DENIED')
    assert.match(message, /^write "\/a": its owner is not in the range/)
    assert.match(hint, /subuid/)
    assert.deepEqual(applied(layer, 'drop').changes, ['entry a', 'entry d'])
  })
})
