export { Person, useNameOf } from './people.tsx';
