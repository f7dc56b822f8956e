import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

describe('tsbuild parse', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-parse-'))
    writeFileSync(join(folder, 'good'), 'FROM a AS b\nRUN x\n')
    writeFileSync(join(folder, 'bad'), 'FROM a\nRNU x\n')
  })
  after(() => rmSync(folder, { recursive: true }))

  async function run(argv: readonly string[], stdin = '') {
    const shell = fakeShell({ stdin })
    const code = await runProgram(['parse', ...argv], shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  const from = {
    instruction: 'FROM',
    flags: [],
    args: ['a', 'AS', 'b'],
    json: false,
    heredocs: [],
    line: 1,
    endLine: 1,
  }
  const good = {
    instructions: [from, { ...from, instruction: 'RUN', args: ['x'], line: 2, endLine: 2 }],
    stages: [{ name: 'b', from: 'a', platform: null }],
  }
  const bad = { error: { message: 'unknown instruction: RNU (did you mean RUN?)', line: 2 } }

  it('prints the normal form of a file, and of standard input', async () => {
    const { code, out, err } = await run(['--format', 'json', join(folder, 'good')])
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.deepEqual(JSON.parse(out), good)
    const piped = await run(['-'], 'FROM a AS b\nRUN x\n')
    assert.deepEqual(piped, { code, out, err })
  })

  it('prints the mistake of a file that is not a Dockerfile', async () => {
    const { code, out, err } = await run([join(folder, 'bad')])
    assert.deepEqual({ code, err }, { code: 1, err: '' })
    assert.deepEqual(JSON.parse(out), bad)
  })

  it('takes a list of files, and prints one document a line in order', async () => {
    const paths = ['good', 'bad', 'missing', 'good'].map((name) => join(folder, name))
    const { code, out } = await run(['--files-from', '-'], `${paths.join('\n')}\n`)
    assert.equal(code, 1)
    const [first, second, third, fourth, rest] = out.split('\n')
    assert.deepEqual(JSON.parse(first ?? ''), good)
    assert.deepEqual(JSON.parse(second ?? ''), bad)
    assert.match(third ?? '', /^{"error":{"message":"read .*missing.*ENOENT.*","line":null}}$/)
    assert.equal(fourth, first)
    assert.equal(rest, '')
    const list = join(folder, 'list')
    writeFileSync(list, paths[0] ?? '')
    assert.deepEqual(await run(['--files-from', list]), { code: 0, out: `${first}\n`, err: '' })
  })

  it('prints more than fits into one write', async () => {
    const paths = Array.from({ length: 1000 }, () => join(folder, 'good'))
    const { code, out } = await run(['--files-from', '-'], paths.join('\n'))
    const lines = out.trimEnd().split('\n')
    assert.equal(code, 0)
    assert.equal(lines.length, 1000)
    assert.equal(new Set(lines).size, 1)
  })

  it('refuses what it cannot do', async () => {
    assert.match((await run(['--format', 'xml', 'x'])).err, /unknown format "xml"/)
    assert.match((await run(['a', 'b'])).err, /unexpected argument "b"/)
    assert.match((await run(['--files-from', '-', 'b'])).err, /unexpected argument "b"/)
    const { code, out, err } = await run([join(folder, 'missing')])
    assert.deepEqual({ code, out }, { code: 1, out: '' })
    assert.match(err, /ENOENT/)
  })

  it('does not wait for a FIFO in a list, nor read a device', async () => {
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const list = [fifo, '/dev/zero', folder, join(folder, 'good')].join('\n')
    const { code, out } = await run(['--files-from', '-'], list)
    const forms = out.trimEnd().split('\n')
    const errors = forms.slice(0, 3).map((form) => JSON.parse(form).error.message)
    for (const message of errors) assert.match(message, /: it is a (pipe|device|folder)$/)
    assert.deepEqual([code, forms.length, JSON.parse(forms[3] ?? '')], [1, 4, good])
  })

  it('sends nothing to a terminal that would control it, and all of it elsewhere', async () => {
    writeFileSync(join(folder, 'odd'), 'FROM a\nRUN \x9b31m\u202e\x7f "größe"\n')
    for (const terminal of [true, false]) {
      const shell = fakeShell({ terminal })
      assert.equal(await runProgram(['parse', join(folder, 'odd')], shell), 0)
      const text = terminal ? '\uFFFD31m\uFFFD\uFFFD' : '\x9b31m\u202e\x7f'
      assert.deepEqual(JSON.parse(shell.out()).instructions[1].args, [`${text} "größe"`])
    }
  })
})
