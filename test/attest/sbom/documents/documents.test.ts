import assert from 'node:assert/strict'
import { sbomDocument } from '#attest/sbom'
import { packagesOf } from '../image-files.ts'
import { checkCycloneDx, checkSpdx } from './check-document.ts'

const json = (value: unknown): string => JSON.stringify(value)

/** Names, versions and licenses that documents have to write in their own way. */
const FILES = {
  'etc/os-release': 'ID=alpine\nVERSION_ID=3.19\n',
  'lib/apk/db/installed':
    'P:gtk+3.0\nV:3.24.38-r1\nA:x86_64\nL:LGPL-2.1-or-later\nm:A B <a@b.org>\n\nP:zlib\nV:1.3\nA:x86_64\nL:zlib custom\n\n',
  'var/lib/dpkg/status':
    'Package: libstdc++6\nStatus: install ok installed\nVersion: 1:12~rc+a/b\n\n',
  'node_modules/@a/b/package.json': json({
    name: '@a/b',
    version: '1.0.0',
    license: '(MIT OR ISC)',
  }),
  'node_modules/odd/package.json': json({
    name: 'odd name?#@%é',
    version: '1.0.0+build/1',
    license: 'LicenseRef-own',
  }),
  'node_modules/quoted/package.json': json({ name: 'quoted', version: '"<\u2028>&\\' }),
}
const OPTIONS = { name: 'pkg:docker/app@1?platform=linux%2Famd64', createdAt: new Date(0) }

describe('lists of packages', () => {
  const found = packagesOf(FILES)
  const document = (format: 'spdx' | 'cyclonedx', name: string = OPTIONS.name): string =>
    JSON.stringify(sbomDocument(found, { ...OPTIONS, format, name }))

  it('are valid as SPDX, with every package in the image', () => {
    assert.equal(found.packages.length, 6)
    for (const name of [OPTIONS.name, '_']) {
      const { packages, relationships } = checkSpdx(document('spdx', name))
      assert.deepEqual(
        packages.slice(1).map(({ externalRefs }) => externalRefs?.[0]?.referenceLocator),
        found.packages.map(({ url }) => url),
      )
      assert.equal(relationships.length, packages.length)
    }
  })

  it('name licenses of SPDX, and others in their own words', () => {
    const { packages } = checkSpdx(document('spdx'))
    const declared = new Map(packages.map((one) => [one.name, one.licenseDeclared]))
    assert.equal(declared.get('gtk+3.0'), 'LGPL-2.1-or-later')
    assert.equal(declared.get('@a/b'), '(MIT OR ISC)')
    for (const name of ['zlib', 'odd name?#@%é', 'quoted']) {
      assert.equal(declared.get(name), 'NOASSERTION', name)
    }
    assert.match(document('spdx'), /"licenseComments":"declared: zlib custom"/)
  })

  it('are valid as CycloneDX, with the same packages', async () => {
    const urls = await checkCycloneDx(document('cyclonedx'))
    assert.deepEqual(
      urls,
      found.packages.map(({ url }) => url),
    )
    await checkCycloneDx(document('cyclonedx', '_'))
  })

  it('would not be found valid if they were not', async () => {
    assert.throws(() => checkSpdx(document('spdx').replaceAll('SPDXRef-Package', 'Package')))
    const wrong = document('cyclonedx').replace('"type":"library"', '"type":"book"')
    await assert.rejects(checkCycloneDx(wrong))
  })
})
