import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { PackageURL } from 'packageurl-js'
import parseLicense from 'spdx-expression-parse'

/** What tests look at in a document of SPDX. */
export interface SpdxDocument {
  readonly packages: readonly {
    readonly SPDXID: string
    readonly name: string
    readonly versionInfo?: string
    readonly licenseDeclared: string
    readonly externalRefs?: readonly { readonly referenceLocator: string }[]
  }[]
  readonly relationships: readonly {
    readonly spdxElementId: string
    readonly relatedSpdxElement: string
  }[]
}

const SCHEMA = new URL('../../../../../fixtures/sbom/spdx-2.3.schema.json', import.meta.url)

/** Fails for what is no document of SPDX 2.3, or refers to what is not in it. */
export function checkSpdx(text: string): SpdxDocument {
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  formats.default(ajv)
  const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object)
  const document = JSON.parse(text) as SpdxDocument
  assert.ok(validate(document), ajv.errorsText(validate.errors))
  const ids = document.packages.map(({ SPDXID }) => SPDXID)
  assert.equal(new Set(ids).size, ids.length)
  for (const { spdxElementId, relatedSpdxElement } of document.relationships) {
    for (const id of [spdxElementId, relatedSpdxElement]) {
      assert.ok(id === 'SPDXRef-DOCUMENT' || ids.includes(id), id)
    }
  }
  for (const { licenseDeclared, externalRefs = [] } of document.packages) {
    if (licenseDeclared !== 'NOASSERTION') parseLicense(licenseDeclared)
    for (const { referenceLocator } of externalRefs) checkUrl(referenceLocator)
  }
  return document
}

/** Fails for what the library of CycloneDX finds wrong in a document. */
export async function checkCycloneDx(text: string): Promise<readonly string[]> {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5)
  assert.equal(await validator.validate(text), null)
  const { components } = JSON.parse(text) as { components: readonly { purl?: string }[] }
  const urls = components.flatMap(({ purl }) => purl ?? [])
  for (const url of urls) checkUrl(url)
  return urls
}

/** It says the same when it is read and written again. */
function checkUrl(url: string): void {
  const parts = (text: string): object => ({ ...PackageURL.fromString(text) })
  assert.deepEqual(parts(PackageURL.fromString(url).toString()), parts(url))
}
