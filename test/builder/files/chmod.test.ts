import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync } from 'node:fs'
import { copy, workspace } from './fixture.ts'

const SYMBOLIC = [
  'u=rwX,go=rX',
  'a+x,o-w',
  '+x',
  'u+s',
  'g+s',
  '+t',
  'u-s,g-s',
  'ug=o',
  'o=u-w',
  'a=',
  'go=',
  'u=rwxs',
  '=rX',
  'u+x-w+r',
  'o+t',
  'u+t',
]
const MODES = [0o644, 0o600, 0o755, 0o4711, 0o2750, 0o1777, 0]

/** The mode that `chmod(1)` gives. */
function expected(path: string, text: string, mode: number): number {
  chmodSync(path, mode)
  execFileSync('sh', ['-c', 'umask 0; exec chmod -- "$1" "$2"', 'sh', text, path])
  return lstatSync(path).mode & 0o7777
}

describe('--chmod', () => {
  for (const text of SYMBOLIC) {
    it(`${text} does what chmod(1) does`, async () => {
      for (const mode of MODES) {
        using space = workspace({ source: ['d/', 'd/f', 'd/sub/'] })
        const file = space.directory.file('source/d/f')
        const directory = space.directory.file('source/d/sub')
        const modes = [expected(file, text, mode), expected(directory, text, mode)]
        chmodSync(file, mode)
        chmodSync(directory, mode)
        using result = await space.run([copy('d', '/x', { chmod: text })])
        const made = [...result.changes]
          .slice(1)
          .map((change) => (change.kind === 'entry' ? change.stat.mode : -1))
        assert.deepEqual(made, modes, `${mode.toString(8)} ${text}`)
      }
    })
  }

  it('takes octal modes up to 07777 as they are', async () => {
    using space = workspace({ source: ['f 0600'] })
    for (const [text, mode] of [
      ['0', '0000'],
      ['7777', '07777'],
      ['04755', '04755'],
      ['000644', '0644'],
    ] as const) {
      const [line = ''] = await space.show([copy('f', '/f', { chmod: text })])
      assert.equal(line.split(' ')[1], mode)
    }
  })

  it('refuses anything else', async () => {
    using space = workspace({ source: ['f'] })
    for (const chmod of [
      '99',
      '10000',
      '',
      'u',
      'x+r',
      'u+y',
      'u=rw,',
      '+rux',
      '0x1',
      '-1',
      '644 ',
    ]) {
      await assert.rejects(space.run([copy('f', '/f', { chmod })]), {
        code: 'DOCKERFILE_INVALID',
        message: `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
      })
    }
  })
})
