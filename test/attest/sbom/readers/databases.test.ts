import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { temporaryDirectory } from '../../../support/peers/index.ts'
import { packagesOf, urlsOf } from '../image-files.ts'

const FIXTURES = new URL('../../../../../fixtures/sbom/rpm/', import.meta.url)
const DEBIAN = { 'usr/lib/os-release': 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n' }
const RPMDB = 'usr/lib/sysimage/rpm/rpmdb.sqlite'

function debian(...stanzas: readonly string[]): string {
  return stanzas.map((stanza) => `${stanza}\n\n`).join('')
}

describe('packages of dpkg', () => {
  const installed = 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\n'

  it('are those whose files are there, with the distribution and their source', () => {
    const status = debian(
      `${installed}Source: bash-src (5.2-1)\nVersion: 1:5.2-2+b1\nMaintainer: A <a@b.c>`,
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all',
      'Package: half\nStatus: install ok half-configured\nVersion: 2~rc\nArchitecture: all',
    )
    const { packages, problems } = packagesOf({ ...DEBIAN, 'var/lib/dpkg/status': status })
    assert.deepEqual(problems, [])
    assert.deepEqual(
      packages.map(({ url, supplier }) => [url, supplier]),
      [
        [
          'pkg:deb/debian/bash@1%3A5.2-2%2Bb1?arch=amd64&distro=debian-12&upstream=bash-src%405.2-1',
          'A <a@b.c>',
        ],
        ['pkg:deb/debian/half@2~rc?arch=all&distro=debian-12', undefined],
      ],
    )
  })

  it('have a file each where there is no dpkg', () => {
    const files = {
      ...DEBIAN,
      'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12\nArchitecture: all\n',
      'var/lib/dpkg/status.d/base.md5sums': 'Package: never\nVersion: 1\n',
      'var/lib/dpkg/status.d/tz': 'Package: tzdata\nVersion: 2024a\nArchitecture: all',
    }
    assert.deepEqual(urlsOf(files), [
      'pkg:deb/debian/base-files@12?arch=all&distro=debian-12',
      'pkg:deb/debian/tzdata@2024a?arch=all&distro=debian-12',
    ])
  })

  it('are read of damaged files as far as they go', () => {
    const status = `\n \n: x\n continued\nno colon\n${'x'.repeat(1 << 20)}: y\n${debian(
      'Package: a\u0007b\nVersion: 1\r\nArchitecture: all\r',
      'Package: unversioned',
      `Package: long\nVersion: ${'9'.repeat(1 << 20)}\nStatus: install ok installed`,
    )}`
    const { packages } = packagesOf({ ...DEBIAN, 'var/lib/dpkg/status': status })
    assert.deepEqual(
      packages.map(({ name, version }) => [name, version.length]),
      [
        ['a b', 1],
        ['long', 1000],
      ],
    )
  })
})

describe('packages of apk', () => {
  const DATABASE = [
    'C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nm:Nat <n@a.org>\nF:lib\nR:ld.so\na:0:0:755',
    'P:libcrypto3\nV:3.1.4-r5\nA:x86_64\nL:Apache-2.0\no:openssl\nP:never\n',
    '',
  ].join('\n\n')
  const ALPINE = { 'etc/os-release': "ID=alpine\nVERSION_ID='3.19.1'\n" }
  const expected = [
    'pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.19.1&upstream=openssl',
    'pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.19.1',
  ]

  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    it(`are those of /${path}`, () => {
      const { packages } = packagesOf({ ...ALPINE, [path]: DATABASE })
      assert.deepEqual(
        packages.map(({ url }) => url),
        expected,
      )
      assert.deepEqual(
        packages.map(({ license }) => license),
        ['Apache-2.0', 'MIT'],
      )
    })
  }
})

describe('packages of rpm', () => {
  const database = (): Buffer => gunzipSync(readFileSync(new URL('rpmdb.sqlite.gz', FIXTURES)))
  const FEDORA = { 'etc/os-release': 'ID=fedora\nVERSION_ID=40\n' }

  it('are what rpm says of the same database', () => {
    const { packages, problems } = packagesOf({ ...FEDORA, [RPMDB]: database() })
    assert.deepEqual(problems, [])
    const listed = packages.map(({ name, version, url, license, supplier }) => {
      const arch = /arch=(\w+)/.exec(url)?.[1]
      return [name, version, arch, license, supplier].join('\t')
    })
    const said = readFileSync(new URL('packages.txt', FIXTURES), 'utf8').trim().split('\n')
    assert.equal(said.length, 2)
    assert.deepEqual(listed.toSorted(), said)
    assert.match(packages[0]?.url ?? '', /^pkg:rpm\/fedora\/hello-rpm-tools@1\.2\.3-4\?/)
  })

  it('are not read of what only looks like a database', () => {
    for (const [bytes, problem] of [
      [Buffer.from('SQLite format 3\0'), /not a sound database/],
      [database().subarray(0, 8192), /not a sound database/],
      [sqlite('CREATE TABLE other (blob)'), /not a database of rpm/],
      [
        sqlite(
          'CREATE VIEW Packages AS WITH RECURSIVE c(blob) AS (SELECT 1 UNION ALL SELECT blob FROM c) SELECT * FROM c',
        ),
        /not a database of rpm/,
      ],
    ] as const) {
      const { packages, problems } = packagesOf({ ...FEDORA, [RPMDB]: bytes })
      assert.deepEqual(packages, [])
      assert.match(problems[0] ?? '', problem)
    }
  })

  it('are read of headers that lie about themselves', () => {
    const table =
      'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)'
    const huge = Buffer.alloc(64, 0xff)
    const bytes = sqlite(table, [huge, Buffer.alloc(0), Buffer.alloc(7)])
    assert.deepEqual(packagesOf({ ...FEDORA, [RPMDB]: bytes }), {
      packages: [],
      problems: [],
      distribution: { id: 'fedora', version: '40' },
    })
  })

  it('of older databases are not listed, which is said', () => {
    const { problems } = packagesOf({ ...FEDORA, 'var/lib/rpm/Packages': 'x' })
    assert.match(problems[0] ?? '', /rpm before 4\.16/)
  })
})

function sqlite(schema: string, blobs: readonly Buffer[] = []): Buffer {
  using directory = temporaryDirectory('sqlite')
  const path = directory.file('made.sqlite')
  const made = new DatabaseSync(path)
  made.exec(schema)
  for (const blob of blobs) made.prepare('INSERT INTO Packages (blob) VALUES (?)').run(blob)
  made.close()
  return readFileSync(path)
}
