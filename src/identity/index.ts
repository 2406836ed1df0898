/** Who is calling? */
export { checkTokenName, describeToken, findToken, mintToken, type TokenRecord } from './token.ts';
