import assert from 'node:assert/strict'
import type { Json } from '#core'
import { parseTemplate } from '../../../cli/images/go-template.ts'

const DATA: Json = {
  Id: 'sha256:1',
  Size: 12,
  Config: { Env: ['A=1', 'B=2'], Labels: { b: 'y', a: 'x' }, Cmd: null },
}

/** What Go's text/template prints for the same, with docker's functions. */
const PRINTED: readonly (readonly [string, string])[] = [
  ['{{.Id}}', 'sha256:1'],
  ['id: {{ .Id }}, {{.Size}} bytes', 'id: sha256:1, 12 bytes'],
  ['{{.Config.Env}}', '[A=1 B=2]'],
  ['{{.Config.Labels}}', 'map[a:x b:y]'],
  ['{{.Config.Cmd}}', '<nil>'],
  ['{{json .Config.Env}}', '["A=1","B=2"]'],
  ['{{json .}}', JSON.stringify(DATA)],
  ['{{join .Config.Env ", "}}', 'A=1, B=2'],
  ['{{index .Config.Env 1}}', 'B=2'],
  ['{{index .Config.Labels "a"}}', 'x'],
  ['{{len .Config.Env}}', '2'],
  ['{{range .Config.Env}}<{{.}}>{{end}}!', '<A=1><B=2>!'],
  ['plain', 'plain'],
  ['', ''],
]

/** Templates with what their errors say. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['{{upper .Id}}', /unknown function or action "upper"/],
  ['{{if .Id}}x{{end}}', /unknown function or action "if"/],
  ['{{- .Id}}', /unknown function or action "-"/],
  ['{{.Id', /not closed/],
  ['{{}}', /empty/],
  ['{{range .Config.Env}}x', /no end/],
  ['{{json}}', /json needs a value/],
  ['{{.Nope}}', /asks for Nope, which is not there; there are Id, Size, Config/],
  ['{{.constructor}}', /asks for constructor/],
  ['{{index .Config.Env 5}}', /a list of 2 has no item 5/],
]

describe('a template', () => {
  for (const [text, expected] of PRINTED) {
    it(`${JSON.stringify(text)} prints what Go prints`, () => {
      assert.equal(parseTemplate(text)(DATA), expected)
    })
  }

  for (const [text, message] of REFUSED) {
    it(`${JSON.stringify(text)} is refused, with a hint`, () => {
      assert.throws(
        () => parseTemplate(text)(DATA),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, 'USAGE')
          assert.match(error.message, message)
          assert.match(error.hint ?? '', /\{\{json \.Field\}\}/)
          return true
        },
      )
    })
  }
})
