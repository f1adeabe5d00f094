export {
  closeDelivery,
  closePublications,
  findDeliveryState,
  listDeliveriesOf,
  loseDeliveries,
  openDeliveries,
  openPublications,
  type Publication,
  publicationQueue,
} from './store.ts';
