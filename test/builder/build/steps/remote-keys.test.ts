import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { ensurePackages, run } from '../../../support/peers/index.ts'
import {
  commitFiles,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../../support/servers/index.ts'
import { Workplace } from '../support/workplace.ts'

const DATE = 'Tue, 15 Sep 2020 12:00:00 GMT'
const LATER = 'Wed, 16 Sep 2020 12:00:00 GMT'

/** What the key of ADD depends on that takes a file or a repository from elsewhere. */
describe('keys of ADD from elsewhere', () => {
  let at: Workplace
  let server: WebServer
  let answer: { readonly text: string; readonly etag: string; readonly date: string }

  before(() => ensurePackages())
  beforeEach(async () => {
    at = await Workplace.open()
    answer = { text: 'text', etag: '"1"', date: DATE }
    server = await startWebServer((_, response) => {
      response.writeHead(200, { etag: answer.etag, 'last-modified': answer.date })
      response.end(answer.text)
    })
  })
  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  const isFound = async (step: string): Promise<boolean> => {
    const { steps } = await at.build(['FROM scratch', step])
    assert.equal(steps.total, 1)
    return steps.cached === 1
  }
  const add = (path: string): string => `ADD ${server.origin}/${path} /x`

  for (const [what, change, expected] of [
    ['what the file holds', { text: 'other', etag: '"2"' }, false],
    ['its time, as of any copied file', { date: LATER, etag: '"2"' }, true],
    ['its tag alone', { etag: '"2"' }, true],
  ] as const) {
    it(`${what}: ${expected ? 'stays' : 'changes'}`, async () => {
      assert.equal(await isFound(add('d/file')), false)
      answer = { ...answer, ...change }
      assert.equal(await isFound(add('d/file')), expected)
    })
  }

  it('the folder of the address: stays; the name in it: changes', async () => {
    assert.equal(await isFound(add('d/file')), false)
    assert.equal(await isFound(add('other/file')), true)
    assert.equal(await isFound(add('d/name')), false)
  })

  it('the name of a commit: stays; other files of it, and its .git: changes', async () => {
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { 'd/in': '1', 'e/in': '2' })
    await run('git', ['-C', repository, 'tag', 'named', 'main'])
    await using git = await startGitServer(at.path('served'))
    const address = `${git.origin}/r.git`
    assert.equal(await isFound(`ADD ${address}#main:d /x`), false)
    assert.equal(await isFound(`ADD ${address}#named:d /x`), true)
    assert.equal(await isFound(`ADD ${address}#main:e /x`), false)
    assert.equal(await isFound(`ADD ${address}#main /x`), false)
    assert.equal(await isFound(`ADD --keep-git-dir ${address}#main /x`), false)
  })

  it('a commit that leaves the files as they were: stays', async () => {
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { 'd/in': '1', other: '1' })
    await using git = await startGitServer(at.path('served'))
    assert.equal(await isFound(`ADD ${git.origin}/r.git#main:d /x`), false)
    await commitFiles(repository, { 'd/in': '1', other: '2' })
    assert.equal(await isFound(`ADD ${git.origin}/r.git#main:d /x`), true)
    await commitFiles(repository, { 'd/in': '2', other: '2' })
    assert.equal(await isFound(`ADD ${git.origin}/r.git#main:d /x`), false)
  })
})
