// A like, and the list that answers it:
//   mvn -q dependency:copy-dependencies -DoutputDirectory=jars
//   java -cp 'jars/*' Click.java [USER [ITEM]]
// UPWELL_KAFKA: the broker's address, which `upwell run` shows. UPWELL_PREFIX: of the topics.

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Click {
    public static void main(String[] args) throws Exception {
        var user = args.length > 0 ? args[0] : "ann";
        var item = args.length > 1 ? args[1] : "1";
        var prefix = System.getenv().getOrDefault("UPWELL_PREFIX", "upwell.");
        var broker = System.getenv().getOrDefault("UPWELL_KAFKA", "127.0.0.1:9092");
        var json = new ObjectMapper();
        var id = UUID.randomUUID().toString();
        var event = Map.of("event_id", id, "ts", System.currentTimeMillis(),
                "user_id", user, "item_id", item, "action", "like");
        Map<String, Object> reads = Map.of("bootstrap.servers", broker, "isolation.level", "read_committed");
        Map<String, Object> writes = Map.of("bootstrap.servers", broker);
        var string = new StringDeserializer();

        try (var consumer = new KafkaConsumer<>(reads, string, string);
             var producer = new KafkaProducer<>(writes, new StringSerializer(), new StringSerializer())) {
            // The ends of the topic before the like is sent: its list comes behind them, and is not missed.
            var partitions = consumer.partitionsFor(prefix + "recommendations").stream()
                    .map(one -> new TopicPartition(one.topic(), one.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position); // seekToEnd alone waits for the first poll

            // A key goes where Upwell expects it by Kafka's own partitioner (murmur2).
            producer.send(new ProducerRecord<>(prefix + "clicks", user, json.writeValueAsString(event))).get();

            var deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(500))) {
                    if (!user.equals(record.key()) || record.value() == null) continue;
                    var list = json.readTree(record.value());
                    if (!list.path("trigger").asText().equals(id)) continue;
                    for (var entry : list.path("items")) {
                        var reason = entry.path("reasons").path(0);
                        System.out.printf("%s%n    %s: %s%n", entry.path("title").asText(),
                                reason.path("signal").asText("-"), reason.path("because").asText("-"));
                    }
                    return;
                }
            }
        }
        System.err.println("no list within 30 s: does `upwell run` run?");
        System.exit(1);
    }
}
