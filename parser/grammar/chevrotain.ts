/** The one door to Chevrotain. Its seventy small modules take 40 ms to load where nothing bundles them. */
export { CstParser, createToken, Lexer } from 'chevrotain'
