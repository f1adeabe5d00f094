export {
  closeDelivery,
  closePublications,
  countDeadLetters,
  findDeliveryState,
  listDeliveriesOf,
  loseDeliveries,
  openDeliveries,
  openPublications,
  type Publication,
  publicationQueue,
} from './store.ts';
