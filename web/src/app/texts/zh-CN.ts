export { default as app } from '../app.zh-CN.json'
export { default as shared } from '../../shared/shared.zh-CN.json'
