import assert from 'node:assert/strict'
import type { Json } from '#core'
import { parseTemplate } from '../../../../cli/engine/template/go-template.ts'

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
  ['{{if .Config.Cmd}}x{{else if .Id}}y{{else}}z{{end}}', 'y'],
  ['{{if and .Id (gt .Size 11)}}big{{end}}', 'big'],
  ['{{range $i, $v := .Config.Env}}{{if $i}}, {{end}}{{$i}}={{$v}}{{end}}', '0=A=1, 1=B=2'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}', 'a:x;b:y;'],
  ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
  ['{{with .Config.Labels}}{{.a}}{{end}}', 'x'],
  ['{{(index .Config.Env 0)}}|{{(.Config).Labels.b}}', 'A=1|y'],
  ['{{.Id | upper | printf "%s-%s" "a"}}', 'a-SHA256:1'],
  ['{{printf "%-5s|%3d|%q" .Id .Size "x"}}', 'sha256:1| 12|"x"'],
  ['a {{- /* c */ -}} b {{- .Size }}', 'ab12'],
  ['{{$x := index .Config.Labels "a"}}{{$x}}{{$.Id}}', 'xsha256:1'],
  ['{{split .Id ":"}} {{title "ab cd"}} {{pad "x" 1 2}}.', '[sha256 1] Ab Cd  x  .'],
  ['{{index .Config.Labels "none"}}', ''],
  ['{{eq .Size 12}} {{ne .Id "x"}} {{not .Id}}', 'true true false'],
  ['', ''],
]

/** Templates with what their errors say. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['{{upperr .Id}}', /unknown function or action "upperr"/],
  ['{{if .Id}}x', /an if has no end/],
  ['{{$x}}', /undefined variable "\$x"/],
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
