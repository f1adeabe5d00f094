export {
  closeDelivery,
  findDeliveryState,
  listDeliveriesOf,
  loseDeliveries,
  openDeliveries,
} from './store.ts';
