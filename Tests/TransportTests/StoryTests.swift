import CTransportModel
import Testing

/// Transports on loopback, with peers that keep the rules and peers that do not.
@Suite(.serialized)
struct StoryTests {
    @Test("frames arrive as they were sent, or their connection ends", arguments: StoryTests.names)
    func story_endsWell(name: String) throws {
        let index = try #require(Self.names.firstIndex(of: name))
        let wrong = transport_story_run(UInt32(index)).map { String(cString: $0) }
        #expect(wrong == nil)
    }

    static let names = (0..<transport_story_count()).map {
        String(cString: transport_story_name($0))
    }
}
