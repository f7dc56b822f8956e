/** How many colours arrows have; the stages that are used take turns. */
export const HUES = 8

/** The size of all text, in pixels. */
export const FONT_SIZE = 12

const LIGHT: readonly string[] =
  '#2563eb #c2410c #15803d #9333ea #be123c #0e7490 #a16207 #4d5b75'.split(' ')
const DARK: readonly string[] =
  '#7aa2ff #fb923c #4ade80 #c792ff #fb7185 #22d3ee #facc15 #a8b3c7'.split(' ')

/**
 * The style sheet of a picture, for light and for dark pages. It has no custom properties, which
 * not every renderer of SVG supports. Unneeded stages and the kinds of arrows differ in line style,
 * not only in colour.
 */
export const STYLE: string = `
.tsbuild-graph{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
.tsbuild-graph text{fill:#1f2430}
.tsbuild-graph .page{fill:#fff}
.tsbuild-graph .box{fill:#f7f8fa;stroke:#9aa3b2}
.tsbuild-graph .rule{stroke:#d5dae2}
.tsbuild-graph .soft{fill:#5f6b7e}
.tsbuild-graph .name,.tsbuild-graph .word{font-weight:bold}
.tsbuild-graph .target .box{stroke:#1f2430;stroke-width:2.5}
.tsbuild-graph .unneeded .box{fill:none;stroke-dasharray:6 4}
.tsbuild-graph .unneeded text{fill:#6b7585}
.tsbuild-graph .line{fill:none;stroke:currentColor}
.tsbuild-graph .from .line{stroke-width:2.5}
.tsbuild-graph .copy .line{stroke-width:1.2}
.tsbuild-graph .mount .line{stroke-width:1.6;stroke-dasharray:2 4}
.tsbuild-graph .faint{opacity:.55}
.tsbuild-graph .head,.tsbuild-graph .port{fill:currentColor}
.tsbuild-graph .legend{color:#5f6b7e}
${hues(LIGHT)}
@media (prefers-color-scheme:dark){
.tsbuild-graph text{fill:#e3e7ee}
.tsbuild-graph .page{fill:#14171d}
.tsbuild-graph .box{fill:#1d222b;stroke:#667085}
.tsbuild-graph .rule{stroke:#353c49}
.tsbuild-graph .soft{fill:#98a2b3}
.tsbuild-graph .target .box{stroke:#e3e7ee}
.tsbuild-graph .unneeded text{fill:#98a2b3}
.tsbuild-graph .legend{color:#98a2b3}
${hues(DARK)}
}
`

function hues(colours: readonly string[]): string {
  return colours.map((colour, hue) => `.tsbuild-graph .hue${hue}{color:${colour}}`).join('\n')
}
