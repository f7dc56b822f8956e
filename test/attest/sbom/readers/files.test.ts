import assert from 'node:assert/strict'
import { packagesOf, urlsOf } from '../image-files.ts'
import { goProgram } from './go-program.ts'
import { type ZipFiles, zipOf } from './zip.ts'

const json = (value: unknown): string => JSON.stringify(value)

describe('packages of npm', () => {
  it('are the folders of node_modules, nested ones and scopes included', () => {
    const files = {
      'app/package.json': json({ name: 'app', version: '9.9.9' }),
      'app/node_modules/a/package.json': json({ name: 'a', version: '1.0.0', license: 'MIT' }),
      'app/node_modules/a/dist/package.json': json({ type: 'module', name: 'no', version: '1' }),
      'app/node_modules/a/node_modules/b/package.json': json({ name: 'b', version: '2.0.0' }),
      'app/node_modules/@s/c/package.json': json({ name: '@s/c', version: '3.0.0-rc.1' }),
      'app/node_modules/.bin/package.json': json({ name: 'bin', version: '1.0.0' }),
      'other/node_modules/a/package.json': json({ name: 'a', version: '1.0.0' }),
    }
    const { packages } = packagesOf(files)
    assert.deepEqual(
      packages.map(({ url, license, source }) => [url, license, source]),
      [
        ['pkg:npm/%40s/c@3.0.0-rc.1', undefined, 'app/node_modules/@s/c/package.json'],
        ['pkg:npm/a@1.0.0', 'MIT', 'app/node_modules/a/package.json'],
        ['pkg:npm/b@2.0.0', undefined, 'app/node_modules/a/node_modules/b/package.json'],
      ],
    )
  })

  it('are those of a lock file where nothing is installed beside it', () => {
    const lock = json({
      lockfileVersion: 3,
      packages: {
        '': { name: 'app', version: '1.0.0' },
        'node_modules/a': { version: '1.0.0', license: 'ISC' },
        'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
        'node_modules/linked': { resolved: 'x', link: true },
        'node_modules/tool': { version: '3.0.0', dev: true },
      },
    })
    assert.deepEqual(urlsOf({ 'app/package-lock.json': lock }), [
      'pkg:npm/%40s/b@2.0.0',
      'pkg:npm/a@1.0.0',
    ])
    const installed = { 'app/node_modules/z/package.json': json({ name: 'z', version: '1.0.0' }) }
    assert.deepEqual(urlsOf({ 'app/package-lock.json': lock, ...installed }), ['pkg:npm/z@1.0.0'])
  })

  it('that cannot be read do not hide others', () => {
    const { packages, problems } = packagesOf({
      'node_modules/a/package.json': '{"name":"a",',
      'node_modules/b/package.json': json({ name: 'b', version: '1.0.0', license: { type: 'X' } }),
      'node_modules/c/package.json': json(['c']),
      'node_modules/d/package.json': json({ name: { x: 1 }, version: 2 }),
    })
    assert.deepEqual(
      packages.map(({ url, license }) => [url, license]),
      [['pkg:npm/b@1.0.0', 'X']],
    )
    assert.match(
      problems.join('\n'),
      /^no packages are listed of \/node_modules\/a\/package\.json: /,
    )
  })
})

describe('packages of Python', () => {
  it('are those with metadata', () => {
    const site = 'usr/lib/python3/dist-packages'
    const files = {
      [`${site}/Flask_Login-0.6.3.dist-info/METADATA`]:
        'Metadata-Version: 2.1\nName: Flask_Login\nVersion: 0.6.3\nLicense: MIT\n\nName: body\n',
      [`${site}/old.egg-info/PKG-INFO`]:
        'Name: old\nVersion: 1\nLicense-Expression: BSD-2-Clause\n',
      [`${site}/single-2.egg-info`]: 'Name: single\nVersion: 2\n',
      [`${site}/x/METADATA`]: 'Name: no\nVersion: 1\n',
    }
    assert.deepEqual(urlsOf(files), [
      'pkg:pypi/flask-login@0.6.3',
      'pkg:pypi/old@1',
      'pkg:pypi/single@2',
    ])
  })
})

describe('packages of Go', () => {
  const modules = [
    'path\texample.org/tool',
    'mod\texample.org/tool\t(devel)\t',
    'dep\tgithub.com/a/b/v2\tv2.1.0\th1:x=',
    'dep\tgithub.com/c/d\tv1.0.0\th1:x=',
    '=>\tgithub.com/fork/d\tv1.0.1\th1:y=',
    'build\tvcs.revision=0123abc',
    '',
  ].join('\n')
  const expected = [
    'pkg:golang/example.org/tool@0123abc',
    'pkg:golang/github.com/a/b/v2@v2.1.0',
    'pkg:golang/github.com/fork/d@v1.0.1',
    'pkg:golang/stdlib@1.22.3',
  ]

  for (const bits of [64, 32] as const) {
    it(`are the modules that a program of ${bits} bits says, with others in their place`, () => {
      const bytes = goProgram({ version: 'go1.22.3', modules, bits })
      const files = { 'bin/tool': { bytes, mode: 0o755 }, 'bin/data': { bytes, mode: 0o644 } }
      assert.deepEqual(urlsOf(files), expected)
      assert.equal(packagesOf(files).packages[0]?.source, 'bin/tool')
    })
  }

  it('are none of other programs and of damaged ones', () => {
    const sound = goProgram({ version: 'go1.22.3', modules, bits: 64 })
    const damaged = Array.from({ length: 64 }, (_, at) => {
      const bytes = Buffer.from(sound)
      bytes[at] = 0xff
      return [`bin/${at}`, { bytes, mode: 0o755 }] as const
    })
    const cut = [100, 4096, sound.length - 200].map((end) => {
      return [`cut/${end}`, { bytes: sound.subarray(0, end), mode: 0o755 }] as const
    })
    const { problems, packages } = packagesOf(Object.fromEntries([...damaged, ...cut]))
    // Most bytes of the header say nothing about sections.
    assert.deepEqual(
      packages.map(({ url }) => url),
      expected,
    )
    assert.ok(problems.length <= 20, problems.join('\n'))
    assert.deepEqual(urlsOf({ 'bin/sh': { bytes: Buffer.alloc(8192, '#'), mode: 0o755 } }), [])
  })
})

describe('packages of Maven', () => {
  const properties = (name: string): ZipFiles => ({
    [`META-INF/maven/org.example/${name}/pom.properties`]: `#made\nversion=1.2\ngroupId=org.example\nartifactId=${name}\n`,
  })

  it('are those in archives, and in archives in these', () => {
    const inner = zipOf({ ...properties('inner'), 'x.class': 'x' })
    const war = zipOf({ ...properties('outer'), 'WEB-INF/lib/inner.jar': inner }, 'stored')
    const files = { 'srv/app.war': war, 'srv/lib.jar': zipOf(properties('lib')) }
    const { packages, problems } = packagesOf(files)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      packages.map(({ url, source }) => [url, source]),
      [
        ['pkg:maven/org.example/inner@1.2', 'srv/app.war!/WEB-INF/lib/inner.jar'],
        ['pkg:maven/org.example/lib@1.2', 'srv/lib.jar'],
        ['pkg:maven/org.example/outer@1.2', 'srv/app.war'],
      ],
    )
  })

  it('of a bomb, of cut archives and of what is none are a problem', () => {
    const bomb = zipOf({ 'META-INF/maven/a/b/pom.properties': Buffer.alloc(64 << 20) })
    assert.ok(bomb.length < 1 << 20)
    const sound = zipOf(properties('lib'))
    const { packages, problems } = packagesOf({
      'a.jar': bomb,
      'b.jar': 'no archive',
      'c.jar': sound.subarray(20),
      'd.jar': Buffer.concat([Buffer.from('#!/bin/sh\n'), zipOf(properties('d'))]),
    })
    assert.deepEqual(
      packages.map(({ url }) => url),
      ['pkg:maven/org.example/d@1.2'],
    )
    assert.equal(problems.length, 3, problems.join('\n'))
  })

  it('of archives that claim more than they have are a problem, and take no memory', () => {
    const sound = zipOf({ ...properties('lib'), 'inner.jar': Buffer.alloc(100) }, 'stored')
    const claims = [18, 22].map((at) => {
      const bytes = Buffer.from(sound)
      // The sizes of the first entry, in the directory behind both files.
      bytes.writeUInt32LE(0x0f000000, bytes.indexOf('PK\x01\x02', 'latin1') + at + 2)
      return bytes
    })
    const { packages, problems } = packagesOf({
      'a.jar': claims[0] ?? '',
      'b.jar': claims[1] ?? '',
    })
    assert.deepEqual(
      packages.map(({ source }) => source),
      ['b.jar'],
    )
    assert.deepEqual(
      problems.map((text) => text.replace(/^no packages are listed of /, '')),
      [
        '/a.jar: a file in it is too long',
        '/a.jar!/inner.jar: it is no archive',
        '/b.jar!/inner.jar: it is no archive',
      ],
    )
  })

  it('are looked for in archives of archives to a depth', () => {
    const nested = [1, 2, 3, 4, 5].reduce(
      (inner, depth) => zipOf({ ...properties(`at${depth}`), 'next.jar': inner }, 'stored'),
      zipOf(properties('deepest')),
    )
    assert.deepEqual(urlsOf({ 'x.jar': nested }), [
      'pkg:maven/org.example/at3@1.2',
      'pkg:maven/org.example/at4@1.2',
      'pkg:maven/org.example/at5@1.2',
    ])
  })
})

describe('files of images', () => {
  it('are found through links in the image, and never outside of it', () => {
    const linked = {
      'etc/os-release': { link: '/usr/lib/os-release' },
      'usr/lib/os-release': 'ID=linked\n',
      'var/lib/dpkg/status': { link: '/../../../srv/status' },
      'srv/status': 'Package: a\nVersion: 1\n',
    }
    assert.deepEqual(urlsOf(linked), ['pkg:deb/linked/a@1?distro=linked'])
    // This machine has packages there.
    const { packages, distribution } = packagesOf({
      'etc/os-release': { link: '/usr/lib/os-release' },
      'var/lib/dpkg/status': { link: '/var/lib/dpkg/status-old' },
      'lib/loop': { link: '/lib/loop' },
    })
    assert.deepEqual([packages, distribution], [[], undefined])
  })
})
