import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

describe('tsbuild context', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-context-'))
    const files = {
      '.dockerignore': '*\n!src\n**/*.o\n!unused\n',
      'src/big.c': 'x'.repeat(1500),
      'src/lib/a.c': 'x',
      'src/lib/a.o': 'x',
      'src/\u001b[31mred': '',
      'node_modules/x': 'x',
    }
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    }
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  async function run(...argv: readonly string[]) {
    const shell = fakeShell()
    const code = await runProgram(['context', ...argv, folder], shell)
    return { code, out: shell.out().replaceAll(folder, 'DIR'), err: shell.err() }
  }

  it('lists files, what they add up to, and what each rule did', async () => {
    const { code, out } = await run()
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        '        0B  src/red  (line 2: !src)',
        '    1.50kB  src/big.c  (line 2: !src)',
        '        1B  src/lib/a.c  (line 2: !src)',
        '',
        'DIR: 3 files, 2 folders, 1.50kB; ignore file: .dockerignore',
        '',
        'Rules, with how many paths each decided on (an ignored folder is one path):',
        '  line   1: ignores 2      *',
        '  line   2: keeps 5        !src',
        '  line   3: ignores 1      **/*.o',
        '  line   4: nothing        !unused',
        '',
      ].join('\n'),
    )
  })

  it('breaks the sizes down where there are several folders', async () => {
    writeFileSync(join(folder, '.dockerignore'), '')
    const { out } = await run()
    assert.match(out, /Folders, the largest first:\n {4}1\.50kB {2}src, 4 files\n/)
    assert.match(out, /\n +0B {2}\(files at the top\), 1 file\n/)
    assert.match(out, /Largest files:\n {4}1\.50kB {2}src\/big\.c\n/)
  })

  it('says the same in one JSON document', async () => {
    const { code, out } = await run('--format', 'json')
    assert.equal(code, 0)
    const { entries, total, rules, ignoreFile, context, folders, largest } = JSON.parse(out)
    assert.deepEqual(total, { files: 3, directories: 2, bytes: 1501 })
    assert.equal(entries.length, 5)
    const rule = { pattern: '!src', line: 2, exception: true }
    assert.deepEqual(entries[2], { path: 'src/big.c', type: 'file', size: 1500, rule })
    assert.deepEqual(rules[0], { pattern: '*', line: 1, exception: false, paths: 2 })
    assert.deepEqual({ ignoreFile, context }, { ignoreFile: '.dockerignore', context: 'DIR' })
    assert.deepEqual(folders, [{ path: 'src', files: 3, bytes: 1501 }])
    assert.deepEqual(largest[0], { path: 'src/big.c', size: 1500 })
    assert.ok(out.split('\n').length > 5, 'an entry a line')
  })

  it('is well-formed JSON for an empty context, too', async () => {
    writeFileSync(join(folder, '.dockerignore'), '**')
    assert.deepEqual(JSON.parse((await run('--format=json')).out).entries, [])
  })

  it('explains paths by the lines that match', async () => {
    const { code, out } = await run(
      '--explain',
      'src/lib/a.o',
      '--explain',
      'src',
      '--explain',
      'x',
    )
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'src/lib/a.o: ignored',
        '    .dockerignore:1: *',
        '    .dockerignore:2: !src',
        '  > .dockerignore:3: **/*.o',
        'src: included',
        '    .dockerignore:1: *',
        '  > .dockerignore:2: !src',
        'x: ignored (there is no such file)',
        '  > .dockerignore:1: *',
        '',
      ].join('\n'),
    )
    const [first] = JSON.parse((await run('--explain=node_modules/x', '--format=json')).out)
    assert.deepEqual(first, {
      path: 'node_modules/x',
      exists: true,
      type: 'file',
      included: false,
      verdict: 'ignored',
      ignoreFile: '.dockerignore',
      rules: [{ pattern: '*', line: 1, exception: false }],
    })
  })

  it('explains what no line matches', async () => {
    writeFileSync(join(folder, '.dockerignore'), 'y\n')
    const { out } = await run('--explain=src')
    assert.equal(out, 'src: included: no line of .dockerignore matches\n')
    rmSync(join(folder, '.dockerignore'))
    assert.equal((await run('--explain=src')).out, 'src: included: there is no ignore file\n')
  })

  it("takes the Dockerfile's own rules with -f, and none of its own with -f -", async () => {
    writeFileSync(join(folder, 'D'), '')
    writeFileSync(join(folder, 'D.dockerignore'), 'src\n')
    assert.match((await run('-f', join(folder, 'D'))).out, /^ +1B {2}node_modules\/x$/m)
    assert.match((await run('-f', '-')).out, /ignore file: \.dockerignore\n/)
  })

  it('fails with exit code 1', async () => {
    const missing = await run('-f', 'missing')
    assert.equal(missing.code, 1)
    assert.match(missing.err, /open missing: no such file or directory \(CONTEXT_INVALID\)/)
    assert.match((await run('--format', 'xml')).err, /unknown format "xml"/)
    assert.match((await run('--explain', '../x')).err, /\.\.\/x is outside the context/)
    assert.match((await run('more')).err, /unexpected argument/)
    writeFileSync(join(folder, '.dockerignore'), 'a\n[')
    const { code, out, err } = await run()
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, /\.dockerignore line 2: syntax error in pattern: "\["/)
  })
})
