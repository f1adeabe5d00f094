export { changeKey, changeLogMessage, createDestinations } from './model-changes.ts';
