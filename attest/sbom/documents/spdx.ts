import { createHash, randomUUID } from 'node:crypto'
import type { JsonObject } from '#core'
import type { FoundPackages } from '../package/found-packages.ts'
import type { Package } from '../package/package.ts'
import { type DocumentOptions, TOOL } from './document-options.ts'
import { licenseExpression } from './license-expression.ts'

const DOCUMENT = 'SPDXRef-DOCUMENT'
const ROOT = 'SPDXRef-DocumentRoot-Image'
const NONE = 'NOASSERTION'

/** The packages as a document of SPDX 2.3. Spec: https://spdx.github.io/spdx-spec/v2.3/ */
export function spdx(
  { packages, distribution }: FoundPackages,
  { name, createdAt }: DocumentOptions,
): JsonObject {
  const listed = packages.map((one) => ({ id: identifierOf(one), one }))
  const system = distribution && `${distribution.id} ${distribution.version ?? ''}`.trim()
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name,
    documentNamespace: `urn:uuid:${randomUUID()}`,
    creationInfo: {
      created: createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ${TOOL}`],
    },
    packages: [
      {
        ...{ name, SPDXID: ROOT, downloadLocation: NONE, filesAnalyzed: false },
        ...{ licenseConcluded: NONE, licenseDeclared: NONE, copyrightText: NONE },
        primaryPackagePurpose: 'CONTAINER',
        ...(name === '_' ? {} : { externalRefs: [urlReference(name)] }),
        ...(system === undefined ? {} : { comment: `the system is ${system}` }),
      },
      ...listed.map(({ id, one }) => packageElement(one, id)),
    ],
    relationships: [
      relationship(DOCUMENT, 'DESCRIBES', ROOT),
      ...listed.map(({ id }) => relationship(ROOT, 'CONTAINS', id)),
    ],
  }
}

function packageElement(one: Package, SPDXID: string): JsonObject {
  const { name, version, license, supplier, source, url } = one
  const expression = licenseExpression(license)
  const isUnclear = license !== undefined && expression === undefined
  return {
    name,
    SPDXID,
    ...(version === '' ? {} : { versionInfo: version }),
    ...(supplier === undefined ? {} : { supplier: supplierOf(one.type, supplier) }),
    downloadLocation: NONE,
    filesAnalyzed: false,
    sourceInfo: `listed in /${source}`,
    licenseConcluded: NONE,
    licenseDeclared: expression ?? NONE,
    ...(isUnclear ? { licenseComments: `declared: ${license}` } : {}),
    copyrightText: NONE,
    externalRefs: [urlReference(url)],
  }
}

/** `Person: NAME (ADDRESS)`; rpm alone names who publishes a package, not who looks after it. */
function supplierOf(type: Package['type'], supplier: string): string {
  const kind = type === 'rpm' ? 'Organization' : 'Person'
  return `${kind}: ${supplier.replace(/<([^<>]*)>/, '($1)')}`
}

/** Of letters, digits, dots and dashes; the same for the same package in every document. */
function identifierOf({ type, name, url }: Package): string {
  const readable = `${type}-${name}`.replace(/[^a-zA-Z0-9.-]+/g, '-').slice(0, 100)
  const digest = createHash('sha256').update(url).digest('hex').slice(0, 16)
  return `SPDXRef-Package-${readable}-${digest}`
}

function urlReference(referenceLocator: string): JsonObject {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }
}

function relationship(from: string, relationshipType: string, to: string): JsonObject {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to }
}
