import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AttestedImage, readAttested } from '../../attest/attested-layout.ts'
import { checkCycloneDx, checkSpdx } from '../../attest/sbom/documents/check-document.ts'
import {
  debianBase,
  type Registry,
  run,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

const SECRET = 'attested-canary-7f3a9'

const DOCKERFILE = `FROM debian AS image
RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /count && dpkg-query -W -f '\${Package} \${Version}\\n' > /dpkg.txt
COPY app /app
COPY --chmod=755 umoci /usr/local/bin/
FROM scratch AS lists
COPY --from=image /dpkg.txt /
COPY app /app
`

/** Packages in folders of each other, of which npm makes a tree. */
const APP = {
  'app/package.json': { name: 'app', version: '1.0.0', dependencies: { a: '1', '@s/c': '*' } },
  'app/node_modules/a/package.json': { name: 'a', version: '1.2.3', dependencies: { b: '1' } },
  'app/node_modules/a/node_modules/b/package.json': { name: 'b', version: '1.0.0' },
  'app/node_modules/b/package.json': { name: 'b', version: '2.0.0' },
  'app/node_modules/@s/c/package.json': {
    name: '@s/c',
    version: '0.1.0-rc.2',
    dependencies: { b: '2' },
  },
}

describe('attestations', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let image: AttestedImage

  const layout = (name: string): string => directory.file(name)
  const start = () => ({ root: directory.file('store') })
  const predicate = (type: string): string => {
    const found = image.statements.find(({ predicateType }) => predicateType === type)
    assert.ok(found !== undefined, type)
    return JSON.stringify(found.predicate)
  }

  before(async () => {
    directory = temporaryDirectory('attestations')
    registry = await startRegistry()
    const files = Object.entries(APP).map(([path, content]) => [path, JSON.stringify(content)])
    const context = writeContext(directory.file('context'), {
      Dockerfile: DOCKERFILE,
      token: SECRET,
      '.dockerignore': 'token\n',
      ...Object.fromEntries(files),
    })
    copyFileSync('/usr/bin/umoci', join(context, 'umoci'))
    chmodSync(join(context, 'umoci'), 0o755)
    const name = `${registry.host}/attested:1`
    await mustBuild(
      [
        ...[
          '-t',
          name,
          '--target=image',
          '--push',
          '--provenance=true',
          '--sbom=format=spdx+cyclonedx',
        ],
        ...['--build-context', `debian=oci-layout://${await debianBase()}`],
        ...['--secret', `id=token,src=${join(context, 'token')}`, context],
      ],
      start(),
    )
    await run('skopeo', [
      ...['--insecure-policy', 'copy', '--all', '--quiet', '--src-tls-verify=false'],
      ...['--preserve-digests', `docker://${name}`, `oci:${layout('copied')}:1`],
    ])
    const [first, ...others] = readAttested(layout('copied'))
    assert.deepEqual(others, [])
    assert.ok(first !== undefined)
    image = first
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('are in the registry beside the image, and pass through skopeo', () => {
    assert.deepEqual(
      image.statements.map(({ predicateType }) => predicateType),
      ['https://slsa.dev/provenance/v1', 'https://spdx.dev/Document', 'https://cyclonedx.org/bom'],
    )
  })

  it('list the packages that dpkg-query and npm list, in valid documents', async () => {
    const { packages } = checkSpdx(predicate('https://spdx.dev/Document'))
    const of = (type: string): readonly string[] =>
      packages.flatMap(({ name, versionInfo = '', externalRefs }) =>
        externalRefs?.[0]?.referenceLocator.startsWith(`pkg:${type}/`) === true
          ? [`${name} ${versionInfo}`]
          : [],
      )
    const dest = directory.file('local')
    const args = [
      '-o',
      dest,
      '--target=lists',
      '--build-context',
      `debian=oci-layout://${await debianBase()}`,
    ]
    const secret = ['--secret', `id=token,src=${join(directory.file('context'), 'token')}`]
    await mustBuild([...args, ...secret, directory.file('context')], start())
    const dpkg = readFileSync(join(dest, 'dpkg.txt'), 'utf8').trim().split('\n')
    assert.ok(dpkg.length > 50)
    assert.deepEqual(of('deb').toSorted(), dpkg.toSorted())
    const { stdout } = await run('npm', ['ls', '--json', '--all'], { cwd: join(dest, 'app') })
    const npm = new Set(namesIn(JSON.parse(stdout) as NpmTree))
    assert.equal(npm.size, 4)
    assert.deepEqual(of('npm').toSorted(), [...npm].toSorted())
    const skopeo = readFileSync('/usr/bin/umoci', 'latin1')
    const [release] = of('golang')
    assert.ok(release !== undefined && skopeo.includes(`go${release.replace('stdlib ', '')}`))
    const urls = await checkCycloneDx(predicate('https://cyclonedx.org/bom'))
    assert.equal(urls.length, packages.length - 1)
  })

  it('say the ids of secrets, and nothing of what they are', () => {
    const text = JSON.stringify(image.statements)
    const { request } = JSON.parse(predicate('https://slsa.dev/provenance/v1')).buildDefinition
      .externalParameters
    assert.deepEqual(request.secrets, [{ id: 'token', optional: true }])
    assert.ok(!text.includes(SECRET))
    assert.ok(!text.includes(Buffer.from(SECRET).toString('base64').slice(0, 20)))
    assert.ok(!text.includes(directory.path), 'no path of this machine')
  })

  it('do not stand in the way of the image', async () => {
    const name = `${registry.host}/attested:1`
    const inspected = await run('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`])
    assert.match(inspected.stdout, /"Os": "linux"/)
    const { stdout } = await tsbuild(['images'], start())
    assert.equal(stdout.split('\n').filter((line) => line.includes('attested')).length, 1, stdout)
    const verified = await tsbuild(['store', 'verify'], start())
    assert.equal(verified.status, 0, verified.stderr)
  })
})

interface NpmTree {
  readonly dependencies?: Readonly<Record<string, NpmTree & { readonly version: string }>>
}

function namesIn({ dependencies = {} }: NpmTree): readonly string[] {
  return Object.entries(dependencies).flatMap(([name, tree]) => [
    `${name} ${tree.version}`,
    ...namesIn(tree),
  ])
}
