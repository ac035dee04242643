export { optimiseNow } from './optimise.js'
