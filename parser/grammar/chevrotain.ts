/** The only import of Chevrotain. Its seventy modules take 40 ms to load without a bundler. */
export { CstParser, createToken, Lexer } from 'chevrotain'
