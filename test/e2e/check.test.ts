import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tsbuild } from './support/tsbuild.ts'

describe('end to end: checks', () => {
  let folder = ''
  let root = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-check-'))
    root = join(folder, 'store')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = (text: string): void => writeFileSync(join(folder, 'Dockerfile'), text)

  it('exit with 1 when something is found, and with 0 otherwise', async () => {
    write('FROM scratch as a\n')
    const found = await tsbuild(['build', '--check', '.'], { root, cwd: folder })
    assert.deepEqual([found.status, found.stderr], [1, ''])
    assert.match(found.stdout, /^Check complete, 1 warning has been found!\n/)
    write('FROM scratch AS a\n')
    const clean = await tsbuild(['build', '--check', '.'], { root, cwd: folder })
    assert.deepEqual(
      [clean.status, clean.stdout, clean.stderr],
      [0, 'Check complete, no warnings found.\n', ''],
    )
  })

  it('are shown at the end of a build, in their short form', async () => {
    write('FROM scratch as a\nCOPY Dockerfile /\nCMD run\n')
    const { status, stderr } = await tsbuild(['.'], { root, cwd: folder })
    assert.equal(status, 0)
    assert.ok(
      stderr.includes(`
 2 warnings found (use --check to expand):
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
 - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 3)
`),
      stderr,
    )
  })

  it('fail a build with error=true before its first step', async () => {
    write('# check=error=true\nFROM scratch as a\nCOPY Dockerfile /\n')
    const { status, stderr } = await tsbuild(['.'], { root, cwd: folder })
    assert.equal(status, 1)
    assert.match(stderr, /ERROR: lint violation found for rules: FromAsCasing/)
    assert.match(stderr, /2 \| >>> FROM scratch as a/)
    assert.ok(!stderr.includes('COPY Dockerfile /\n#'))
  })
})
