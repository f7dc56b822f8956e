import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeFolders } from '#disk'
import { failingCall } from '../support/failing-call/index.ts'
import { run, temporaryDirectory } from '../support/peers/index.ts'

const INDEX = fileURLToPath(new URL('../../disk/index.js', import.meta.url))
const SCRIPT = `
import(process.argv[1])
  .then(({ makeFolders }) => makeFolders(process.argv[2]))
  .catch(({ errno }) => console.log(errno))
`

describe('making folders', () => {
  it('makes those above, too, and leaves one that is there', () => {
    using directory = temporaryDirectory('folders')
    makeFolders(directory.file('a/b/c'), 0o700)
    assert.equal(statSync(directory.file('a/b/c')).mode & 0o777, 0o700)
    makeFolders(directory.file('a/b/c'))
    writeFileSync(directory.file('file'), '')
    assert.throws(() => makeFolders(directory.file('file/x')), { code: 'ENOTDIR' })
  })

  it('fails with what the disk says, which Node does not pass on of a quota', async () => {
    using directory = temporaryDirectory('folders')
    using logs = temporaryDirectory('logs')
    const place = { folder: directory.path, log: logs.file('log') }
    const prefix = await failingCall(
      { nth: 2, error: 'EDQUOT', life: 'on', about: '/quota' },
      place,
    )
    const [command = '', ...words] = [...prefix, process.execPath, '-e', SCRIPT, INDEX]
    const { stdout } = await run(command, [...words, directory.file('quota/b')])
    assert.equal(stdout, '-122\n', readFileSync(logs.file('log'), 'utf8'))
    assert.equal(existsSync(directory.file('quota/b')), false)
  })
})
