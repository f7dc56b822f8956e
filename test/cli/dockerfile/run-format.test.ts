import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

const UGLY = '\n# c\nfrom   a\n\n\nrun x \\\n\n   y\n'
const TIDY = '# c\nFROM a\n\nRUN x \\\n   y\n'

describe('tsbuild fmt', () => {
  let folder = ''
  let ugly = ''
  let tidy = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-fmt-'))
    ugly = join(folder, 'ugly')
    tidy = join(folder, 'tidy')
    writeFileSync(ugly, UGLY)
    writeFileSync(tidy, TIDY)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  async function run(argv: readonly string[], stdin = '') {
    const shell = fakeShell({ stdin })
    const code = await runProgram(['fmt', ...argv], shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  it('prints the formatted file and leaves it as it is', async () => {
    assert.deepEqual(await run([ugly]), { code: 0, out: TIDY, err: '' })
    assert.deepEqual(await run(['-f', ugly]), { code: 0, out: TIDY, err: '' })
    assert.deepEqual(await run(['-'], UGLY), { code: 0, out: TIDY, err: '' })
    assert.equal(readFileSync(ugly, 'utf8'), UGLY)
  })

  it('lists with --check what would change', async () => {
    assert.deepEqual(await run(['--check', tidy, ugly]), { code: 1, out: `${ugly}\n`, err: '' })
    assert.deepEqual(await run(['--check', tidy]), { code: 0, out: '', err: '' })
    assert.deepEqual(await run(['--check', '-'], UGLY), { code: 1, out: 'stdin\n', err: '' })
    assert.equal(readFileSync(ugly, 'utf8'), UGLY)
    writeFileSync(tidy, `\ufeff${TIDY}`)
    assert.equal((await run(['--check', tidy])).code, 1)
  })

  it('changes files with --write', async () => {
    assert.deepEqual(await run(['-w', tidy, '-f', ugly]), { code: 0, out: `${ugly}\n`, err: '' })
    assert.equal(readFileSync(ugly, 'utf8'), TIDY)
    assert.deepEqual(await run(['-w', tidy, ugly]), { code: 0, out: '', err: '' })
  })

  it('shows mistakes, and goes on with the other files', async () => {
    const bad = join(folder, 'bad')
    writeFileSync(bad, 'FROM a\nRNU x\n')
    const { code, out, err } = await run(['-w', bad, ugly])
    assert.deepEqual({ code, out }, { code: 1, out: `${ugly}\n` })
    assert.match(err, />>> RNU x\n/)
    assert.match(err, /unknown instruction: RNU/)
    assert.equal(readFileSync(bad, 'utf8'), 'FROM a\nRNU x\n')
    assert.equal(readFileSync(ugly, 'utf8'), TIDY)
  })

  it('leaves alone what it cannot keep the meaning of', async () => {
    const latin = Buffer.from('FROM a\nrun echo \xff\n', 'latin1')
    writeFileSync(ugly, latin)
    assert.match((await run(['-w', ugly])).err, /is not UTF-8/)
    assert.deepEqual(readFileSync(ugly), latin)
    const long = `FROM a\nCMD [${Array.from({ length: 16_000 }, () => '"x"').join(',')}]\n`
    writeFileSync(ugly, long)
    const { code, err } = await run(['-w', ugly])
    assert.equal(code, 1)
    assert.match(err, /cannot be formatted/)
    assert.equal(readFileSync(ugly, 'utf8'), long)
  })

  it('refuses command lines that cannot be meant', async () => {
    assert.match((await run([ugly, tidy])).err, /several files cannot be printed as one/)
    assert.match((await run(['--check', '--write', ugly])).err, /contradict/)
    assert.match((await run(['-w', '-'])).err, /standard input/)
    assert.match((await run([join(folder, 'missing')])).err, /ENOENT/)
  })

  it('does not wait for a FIFO among the files', async () => {
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const { code, err } = await run(['--write', fifo, ugly])
    assert.equal(code, 1)
    assert.match(err, /fifo: it is a pipe/)
    assert.equal(readFileSync(ugly, 'utf8'), TIDY)
  })

  it('shows a terminal nothing that would control it', async () => {
    writeFileSync(ugly, 'FROM a\nRUN \x1b]0;evil\x07\tx\x9b31m\n')
    for (const terminal of [true, false]) {
      const shell = fakeShell({ terminal })
      assert.equal(await runProgram(['fmt', ugly], shell), 0)
      const text = terminal ? '\uFFFD]0;evil\uFFFD\tx\uFFFD31m' : '\x1b]0;evil\x07\tx\x9b31m'
      assert.equal(shell.out(), `FROM a\nRUN ${text}\n`)
    }
  })
})
