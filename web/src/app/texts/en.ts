export { default as app } from '../app.en.json'
export { default as shared } from '../../shared/shared.en.json'
