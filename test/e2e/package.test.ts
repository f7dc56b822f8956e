import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { capture, temporaryDirectory } from '../support/peers/index.ts'
import { startWebServer } from '../support/servers/index.ts'
import { installHere, publishedFiles, REPOSITORY } from './support/installed.ts'

/** Uses something of every entry of the package. */
const EXAMPLE = `
import { type BuildEvent, type BuildOptions, type BuildResult, build, TsbuildError } from 'tsbuild'
import { renderGraph } from 'tsbuild/graph-view'
import { type Dockerfile, parseDockerfile, SourceError } from 'tsbuild/parser'
import { createRegistryClient, parseReference, type Reference } from 'tsbuild/registry-client'

export const names: string[] = []
export const options: BuildOptions = {
  context: '.',
  onEvent(event: BuildEvent) {
    if (event.type === 'planned') names.push(...event.vertices.map((vertex) => vertex.name))
    const time: number = event.time
    if (time < 0) throw new TsbuildError('time goes back', { code: 'IO_FAILED' })
  },
}
export const run = async (): Promise<BuildResult> => await build(options)
const dockerfile: Dockerfile = parseDockerfile('FROM scratch AS a').dockerfile
const reference: Reference = parseReference('alpine')
// @ts-expect-error there are types: a number is not a context
export const wrong: BuildOptions = { context: 1 }
const isSame: boolean = SourceError.prototype instanceof TsbuildError
console.log(dockerfile.stages[0]?.name, reference.repository, typeof createRegistryClient, isSame, typeof renderGraph)
`

const SETTINGS = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    strict: true,
    exactOptionalPropertyTypes: true,
    typeRoots: [`${REPOSITORY}node_modules/@types`],
    types: ['node'],
  },
}

describe('the published package', function () {
  this.timeout(120_000)

  it('has what is run and its types, and nothing else', () => {
    const files = publishedFiles()
    const others = files.filter((path) => !/^dist\/bundle\/[^/]+\.(js|d\.ts)$/.test(path))
    assert.deepEqual(others.toSorted(), [
      'LICENSE',
      'README.md',
      'cli/bin.js',
      'dist/bundle/package.json',
      'engine/systemd/tsbuild.service',
      'engine/systemd/tsbuild.socket',
      'package.json',
    ])
    assert.ok(files.length < 160, `${files.length} files`)
    for (const entry of ['builder', 'parser', 'graph-view', 'registry-client']) {
      assert.ok(files.includes(`dist/bundle/${entry}.js`))
      assert.ok(files.includes(`dist/bundle/${entry}.d.ts`))
    }
  })

  it('has no import by an internal name, since `imports` names files that are not published', () => {
    const scripts = publishedFiles().filter((path) => /\.(js|ts)$/.test(path))
    assert.ok(scripts.length > 4)
    const internal = /\b(?:require|import)\(["'`]#|\bfrom\s*["'`]#/
    for (const path of scripts)
      assert.doesNotMatch(readFileSync(REPOSITORY + path, 'utf8'), internal)
  })

  it('loads of Node what a request needs, and nothing before', async () => {
    await using server = await startWebServer((_request, response) => void response.end('{}'))
    const script = `
      const { createRegistryClient } = require('${REPOSITORY}dist/bundle/registry-client.js')
      const names = ['http', 'https', 'tls', 'crypto', 'dns', 'internal/deps/undici/undici']
      const loaded = () => names.filter((name) => process.moduleLoadList.includes('NativeModule ' + name))
      const client = createRegistryClient({ credentials: { get: async () => undefined } })
      console.log(JSON.stringify(loaded()))
      client.ping(process.argv[2]).then(() => console.log(JSON.stringify(loaded())))`
    using directory = temporaryDirectory('modules')
    const program = directory.file('program.cjs')
    writeFileSync(program, script)
    const { stdout } = await capture(process.execPath, [program, `127.0.0.1:${server.port}`], {})
    assert.equal(stdout, '[]\n["http"]\n')
  })

  it('can be used by a TypeScript program', async () => {
    using directory = temporaryDirectory('package')
    mkdirSync(directory.file('node_modules'))
    symlinkSync(installHere().path, directory.file('node_modules/tsbuild'))
    writeFileSync(directory.file('package.json'), '{ "type": "module" }')
    writeFileSync(directory.file('tsconfig.json'), JSON.stringify(SETTINGS))
    writeFileSync(directory.file('example.ts'), EXAMPLE)
    const compiler = `${REPOSITORY}node_modules/typescript/bin/tsc`
    const compiled = await capture(process.execPath, [compiler, '-p', directory.path])
    assert.equal(compiled.stdout, '')
    const { stdout, stderr } = await capture(process.execPath, [directory.file('example.js')])
    assert.equal(stdout, 'a library/alpine function true function\n', stderr)
  })
})
