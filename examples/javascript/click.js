// A like, and the list that answers it:  npm install && node click.js [USER [ITEM]]
// UPWELL_KAFKA: the broker's address, which `upwell run` shows. UPWELL_PREFIX: of the topics.
import { randomUUID } from "node:crypto";
import { Kafka, logLevel, Partitioners } from "kafkajs";

const [userId = "ann", itemId = "1"] = process.argv.slice(2);
const prefix = process.env.UPWELL_PREFIX || "upwell.";
const brokers = (process.env.UPWELL_KAFKA || "127.0.0.1:9092").split(",");
const kafka = new Kafka({ clientId: "click", brokers, logLevel: logLevel.ERROR });

// The ends of the topic before the like is sent: its list comes behind them, and is not missed.
const topic = `${prefix}recommendations`;
const admin = kafka.admin();
await admin.connect();
const ends = await admin.fetchTopicOffsets(topic);
await admin.disconnect();

const event = {
  event_id: randomUUID(),
  ts: Date.now(),
  user_id: userId,
  item_id: itemId,
  action: "like",
};
let found;
const answer = new Promise((resolve) => (found = resolve));
const consumer = kafka.consumer({ groupId: `click-${randomUUID()}` });
await consumer.connect();
await consumer.subscribe({ topic });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    if (message.key?.toString() !== userId || message.value === null) return;
    const list = JSON.parse(message.value.toString());
    if (list.trigger === event.event_id) found(list);
  },
});
for (const { partition, high } of ends) consumer.seek({ topic, partition, offset: high });

// Java's murmur2: the key goes where Upwell expects it. (LegacyPartitioner does not do that.)
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
await producer.send({
  topic: `${prefix}clicks`,
  messages: [{ key: userId, value: JSON.stringify(event) }],
});
await producer.disconnect();

const list = await Promise.race([answer, new Promise((end) => setTimeout(end, 30_000))]);
for (const { title, item_id, reasons } of list?.items ?? []) {
  const { signal = "-", because } = reasons[0] ?? {}; // a first suggestion has none
  console.log(`${title ?? item_id}\n    ${signal}: ${because ?? "-"}`);
}
if (!list) console.error("no list within 30 s: does `upwell run` run?");
await consumer.disconnect();
process.exit(list ? 0 : 1);
