export { type Facts, noFacts } from './facts.js'
